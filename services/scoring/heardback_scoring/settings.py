"""Settings of the scoring service, from the environment, read once at start."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from heardback_scoring.app.ports import Explain


class ScoringSettings(BaseSettings):
    """`HEARDBACK_SCORING_…`"""

    model_config = SettingsConfigDict(env_prefix="HEARDBACK_SCORING_", frozen=True)

    port: int = Field(default=8702, ge=0, le=65535)
    model: str = "default"
    """`default` and `green` (both shipped; green was trained on nothing whose licence is unclear), `lexicon`,
    `constant` (no model, for benchmarks), a path to a
    manifest.toml, or NAME@COMMIT of a transformers sequence-classification model."""
    registry: Path | None = None
    """Folder of the model registry, if there is one. What was promoted there reads instead of `model`."""
    registry_seconds: float = Field(default=3.0, gt=0)
    """How often the registry is looked at."""
    policies: Path | None = None
    """A folder whose YAML files take the place of the packaged policies of the same name."""
    threads: int | None = Field(default=None, ge=1)
    """Cores the model may use; all that this process may run on if not given."""
    cache_texts: int = Field(default=2000, ge=0)
    """Readings of identical texts kept in memory, about 3 kB each: a conversation that comes again with more
    turns is read from where it went on."""
    batch_records: int = Field(default=200, ge=1, le=5000)
    """Events scored together at most; their texts go to the model in one call."""
    shadow_queue: int = Field(default=500, ge=1)
    """Feedback that may wait for a candidate; what comes while so many wait is not read by it."""
    drift_current: int = Field(default=500, ge=50)
    """Newest readings of a source that are compared with those before, to tell drift."""
    drift_reference: int = Field(default=2000, ge=50)
    """Readings before those."""
    explain: Explain = "severe"
    """Which feedback gets evidence: `severe` (bands P1 and P2, by clauses), `all` (by words too), `off`."""
    max_body_bytes: int = Field(default=16_000_000, ge=1_000)
    """As much as five hundred kept feedbacks with long conversations take."""
