"""From the name of a model in the settings to a reader and its fallback."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from heardback_scoring.adapters.inline_reader import InlineReader
from heardback_scoring.domain.satisfaction import SatisfactionModel
from heardback_scoring.inference.constant import ConstantScorer
from heardback_scoring.inference.lexicon import LexiconScorer
from heardback_scoring.inference.ports import Scorer
from heardback_scoring.inference.thread import InferenceThread
from heardback_scoring.models.store import (
    GREEN_MANIFEST,
    HubChoice,
    ModelChoice,
    ModelRefused,
    load_satisfaction,
    load_scorer,
    scorer_or_fallback,
)

_LEXICON = "The lexicon was chosen as the model."
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class OpenedModel:
    reader: InferenceThread | InlineReader
    fallback: Scorer
    why_degraded: str | None = None
    satisfaction: SatisfactionModel | None = None


def open_model(
    name: str,
    *,
    threads: int | None = None,
    cache_texts: int = 0,
    on_turn: Callable[[int, float], None] | None = None,
) -> OpenedModel:
    """Loads and warms the model; blocking. If it is refused, the fallback takes its place and says why.

    `on_turn` is told of every run of the model: how many texts, how many seconds.

    Raises ValueError for a name that means nothing.
    """
    fallback = LexiconScorer()
    if name == "constant":
        return OpenedModel(InlineReader(ConstantScorer()), fallback)
    if name == "lexicon":
        return OpenedModel(InlineReader(LexiconScorer()), fallback, _LEXICON)
    choice = _choice(name, threads, cache_texts)
    found = scorer_or_fallback(choice)
    if found.reason is not None:
        return OpenedModel(InlineReader(found.scorer), fallback, found.reason)
    return OpenedModel(
        InferenceThread(found.scorer, on_turn=on_turn), fallback, satisfaction=open_satisfaction(choice)
    )


def open_satisfaction(choice: ModelChoice) -> SatisfactionModel | None:
    """What predicts satisfaction from this model's readings, if it comes with one that fits. Blocking."""
    try:
        return load_satisfaction(choice)
    except ModelRefused as refused:
        _log.warning("scoring.satisfaction_refused", because=str(refused))
        return None


def open_exactly(
    name: str,
    sha256: str | None,
    *,
    threads: int | None = None,
    cache_texts: int = 0,
    on_turn: Callable[[int, float], None] | None = None,
) -> OpenedModel:
    """This model or none: as `open_model`, but never the fallback in its place. Blocking.

    Raises ModelRefused, also when the model is not the one of that hash.
    """
    scorer = open_scorer(name, threads=threads, cache_texts=cache_texts)
    if sha256 is not None and scorer.model.sha256 != sha256:
        scorer.close()
        raise ModelRefused(
            f"Model {name} has sha256 {scorer.model.sha256}, but {sha256} was decided on. Put back "
            "the files, or promote the model as it is now."
        )
    if name in ("constant", "lexicon"):
        return OpenedModel(InlineReader(scorer), LexiconScorer(), _LEXICON if name == "lexicon" else None)
    return OpenedModel(
        InferenceThread(scorer, on_turn=on_turn),
        LexiconScorer(),
        satisfaction=open_satisfaction(_choice(name, threads, cache_texts)),
    )


def open_scorer(name: str, *, threads: int | None = None, cache_texts: int = 0) -> Scorer:
    """The model alone, loaded and warm; blocking. Raises ModelRefused, and ValueError as `open_model`."""
    if name == "constant":
        return ConstantScorer()
    if name == "lexicon":
        return LexiconScorer()
    return load_scorer(_choice(name, threads, cache_texts))


def _choice(name: str, threads: int | None, cache_texts: int) -> ModelChoice:
    if name == "default":
        return ModelChoice(threads=threads, cache_texts=cache_texts)
    if name == "green":
        return ModelChoice(manifest=GREEN_MANIFEST, threads=threads, cache_texts=cache_texts)
    if name.endswith(".toml"):
        return ModelChoice(manifest=Path(name), threads=threads, cache_texts=cache_texts)
    model, _, revision = name.rpartition("@")
    if not model or not revision:
        raise ValueError(
            f"model {name!r}: give default, green, lexicon, constant, a manifest.toml, or NAME@COMMIT"
        )
    return ModelChoice(hub=HubChoice(model, revision), threads=threads)
