"""The model under evaluation, read as the product reads: whole scores, and the readings behind them."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from heardback_scoring.adapters.models import OpenedModel, open_model
from heardback_scoring.adapters.policy_files import load_policies
from heardback_scoring.adapters.py3langid_guesser import Py3langidGuesser
from heardback_scoring.app.listening import listen
from heardback_scoring.app.policies import Policies
from heardback_scoring.app.score_batch import score_batch
from heardback_scoring.app.understanding import understanding_of
from heardback_scoring.domain.root_cause import EmbeddedTaxonomy, Vectors
from heardback_scoring.evaluation.data import Row
from heardback_scoring.inference.ports import Scorer, TextReading
from heardback_shared.contracts.events import FeedbackAccepted
from heardback_shared.contracts.feedback import FeedbackContent, Role, Turn
from heardback_shared.contracts.score import ModelRef, Score

_CHUNK = 256
_AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
"""The moment of every feedback: severity must not depend on the day of the evaluation."""
_ROLES: dict[str, Role] = {"customer": "customer", "user": "customer", "agent": "agent", "bot": "bot"}


class SubjectRefused(Exception):  # noqa: N818  (a verdict, told to people as it is)
    """The model or the policies cannot be evaluated. The message says why, and what to do."""


class NoEmbeddings(Exception):  # noqa: N818  (a property of the model)
    """The model has no embeddings, so nothing can be learnt from them."""


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """The unit vector of a text, and the text as the model was given it."""

    vector: NDArray[np.float32]
    text: str


class RememberingReader:
    """A reader that asks the model for each text once, however many scores and probes need it."""

    def __init__(self, opened: OpenedModel, on_read: Callable[[int], None]) -> None:
        self._inner = opened.reader
        self._on_read = on_read
        self._known: dict[str, TextReading] = {}

    @property
    def scorer(self) -> Scorer:
        return self._inner.scorer

    async def read(self, texts: Sequence[str]) -> list[TextReading]:
        missing = list(dict.fromkeys(text for text in texts if text not in self._known))
        for start in range(0, len(missing), _CHUNK):
            chunk = missing[start : start + _CHUNK]
            self._known.update(zip(chunk, await self._inner.read(chunk), strict=True))
            self._on_read(len(chunk))
        return [self._known[text] for text in texts]

    def forget(self) -> None:
        """Frees what was read; a set is done and the next has other texts."""
        self._known.clear()

    async def close(self) -> None:
        await self._inner.close()


class Subject(AbstractAsyncContextManager["Subject"]):
    """One model with the product's policies around it."""

    def __init__(
        self, opened: OpenedModel, policies: Policies, on_read: Callable[[int], None] = lambda _: None
    ) -> None:
        self._reader = RememberingReader(opened, on_read)
        self._by = understanding_of(
            policies, Py3langidGuesser(), self._reader, opened.fallback, satisfaction=opened.satisfaction
        )

    @property
    def model(self) -> ModelRef:
        return self._reader.scorer.model

    @property
    def policies(self) -> tuple[str, ...]:
        return self._by.policies.versions

    @property
    def cues(self) -> frozenset[str]:
        """Every cue severity knows."""
        return frozenset(self._by.policies.severity.cues)

    async def scores(self, rows: Sequence[dict[str, Any]]) -> list[Score]:
        """The whole score of each text or dialogue, from nothing but its words."""
        return await score_batch([_feedback(row) for row in rows], self._by)

    async def readings(self, texts: Sequence[str]) -> list[TextReading]:
        """What the model itself says of each text, whatever its language."""
        return await self._reader.read([self._by.policies.spoken(text) for text in texts])

    async def vectors(self, texts: Sequence[str]) -> Vectors:
        """One unit vector per text. Raises NoEmbeddings."""
        found = [reading.embedding for reading in await self.readings(texts)]
        known = [vector for vector in found if vector is not None]
        if len(known) != len(found):
            raise NoEmbeddings(f"{self.model.name} has no embeddings")
        return np.stack(known)

    def taxonomy(self) -> EmbeddedTaxonomy:
        """What root causes are read with, without corrections. Raises NoEmbeddings."""
        if self._by.embedded is None:
            raise NoEmbeddings(f"{self.model.name} has no embeddings")
        return self._by.embedded

    async def heard(self, texts: Sequence[str]) -> list[Heard | None]:
        """Each text as root causes are read from it; None where the product reads nothing in it.

        Raises NoEmbeddings.
        """
        said = [listen(_feedback({"text": text}).content, self._by).said for text in texts]
        spoken = [one[0].spoken for one in said if one]
        readings = iter(await self._reader.read(spoken))
        found: list[Heard | None] = []
        for one in said:
            vector = next(readings).embedding if one else None
            if one and vector is None:
                raise NoEmbeddings(f"{self.model.name} has no embeddings")
            found.append(Heard(vector, one[0].spoken) if vector is not None else None)
        return found

    def forget(self) -> None:
        self._reader.forget()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._reader.close()


def open_subject(
    name: str, policies: Path | None = None, on_read: Callable[[int], None] = lambda _: None
) -> Subject:
    """The model of that name, as `heardback score --model` takes it. Blocking.

    Raises SubjectRefused for a name that means nothing, and for a model that is refused: figures of the
    fallback must never pass for those of the model that was named.
    """
    try:
        opened, rules = open_model(name), load_policies(policies)
    except (ValueError, OSError) as error:
        raise SubjectRefused(str(error)) from error
    if opened.why_degraded and name != "lexicon":
        raise SubjectRefused(f"model {name} cannot be evaluated: {opened.why_degraded}")
    return Subject(opened, rules, on_read)


def texts_of(rows: Sequence[Row]) -> list[str]:
    return [row.text for row in rows]


def _feedback(row: dict[str, Any]) -> FeedbackAccepted:
    turns = tuple(
        Turn(role=_ROLES.get(str(turn["role"]).lower(), "system"), text=turn["text"])
        for turn in row.get("turns") or ()
    )
    content = FeedbackContent(
        kind="transcript" if turns else "survey",
        source="evaluation",
        external_id="evaluation",
        revision=1,
        comment=None if turns else row["text"],
        turns=turns,
        happened_at=_AT,
    )
    return FeedbackAccepted(feedback_id="evaluation", revision=1, accepted_at=_AT, content=content)
