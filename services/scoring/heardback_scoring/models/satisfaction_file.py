"""The satisfaction model as a file beside the model whose readings it was trained on."""

import hashlib
import io
import json
from typing import Any

import numpy as np

from heardback_scoring.domain.satisfaction import SatisfactionModel

NAME = "satisfaction.npz"
_WIDE = ("low", "high", "statistics")
_SLIM = ("mean", "last")
_BUCKETED = ("rarity", "said", "said_last")


def to_bytes(model: SatisfactionModel) -> bytes:
    """The same bytes for the same model. Figures by bucket are kept in 16 bits."""
    about = {"encoder": model.encoder, "cues": model.cues, "start": model.start, "half": model.half_width}
    arrays: dict[str, Any] = {name: getattr(model, name) for name in (*_WIDE, *_SLIM)}
    arrays |= {name: getattr(model, name).astype(np.float16) for name in _BUCKETED}
    out = io.BytesIO()
    np.savez_compressed(out, about=np.frombuffer(json.dumps(about).encode(), np.uint8), **arrays)
    return out.getvalue()


def from_bytes(content: bytes) -> SatisfactionModel:
    """Raises ValueError, KeyError, TypeError or OSError for what `to_bytes` has not made."""
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        about = json.loads(stored["about"].tobytes())
        arrays: dict[str, Any] = {name: stored[name].astype(np.float64) for name in _WIDE}
        arrays |= {name: stored[name].astype(np.float32) for name in (*_SLIM, *_BUCKETED)}
    return SatisfactionModel(
        encoder=about["encoder"],
        cues=tuple(about["cues"]),
        start=about["start"],
        half_width=about["half"],
        sha256=hashlib.sha256(content).hexdigest(),
        **arrays,
    )
