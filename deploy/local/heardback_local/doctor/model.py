"""The model: the very files that its manifest names."""

import os
from pathlib import Path

from heardback_local.doctor.findings import Finding


def look_at_model() -> list[Finding]:
    """Nothing where scoring is not installed."""
    try:
        from heardback_scoring.models.store import (
            PACKAGED_MANIFEST,
            ModelRefused,
            checked_files,
            read_manifest,
        )
    except ImportError:
        return []
    chosen = os.environ.get("HEARDBACK_SCORING_MODEL", "default")
    if chosen != "default" and not chosen.endswith(".toml"):
        return [Finding("model", "ok", f"{chosen}, chosen by HEARDBACK_SCORING_MODEL; has no manifest here")]
    path = PACKAGED_MANIFEST if chosen == "default" else Path(chosen)
    try:
        manifest = read_manifest(path)
        checked_files(path, manifest)
    except ModelRefused as refusal:
        # Scoring goes on with the lexicon; everything it reads meanwhile is marked and read again later.
        return [Finding("model", "warn", "refused; the lexicon answers, degraded", str(refusal))]
    return [Finding("model", "ok", f"{manifest.name}@{manifest.revision}, every file as hashed")]
