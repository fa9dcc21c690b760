"""How often people disagree with the root causes the machine says, by category and by version."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.shadow.domain import Share, wilson
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database

MOST_VERSIONS = 20

# The answers alone, from the index; then the few that were corrected, each looked up by its key.
_ANSWERED = text("""
    SELECT answered, answered_by, count(*) AS count FROM router.item_feedback
    WHERE tenant_id = :tenant AND accepted_at >= :since AND answered IS NOT NULL
    GROUP BY answered, answered_by
""")
_CORRECTED = text("""
    SELECT c.right_causes, c.wrong_causes, c.said, f.answered, f.answered_by
    FROM router.correction c
    CROSS JOIN LATERAL (
        SELECT answered, answered_by FROM router.item_feedback
        WHERE tenant_id = :tenant AND feedback_id = c.feedback_id AND accepted_at >= :since LIMIT 1
    ) AS f
    WHERE c.tenant_id = :tenant AND c.in_force AND c.at >= :since
        AND (c.right_causes IS NOT NULL OR jsonb_array_length(c.wrong_causes) > 0)
""")


@dataclass(frozen=True, slots=True)
class Answered:
    """`count` feedbacks that were answered alike by the same taxonomy and model. No causes: unclear."""

    causes: tuple[str, ...]
    version: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Judged:
    """One feedback that a person judged: what the machine had said, and what was said of that."""

    said: Answered
    right: frozenset[str] | None
    wrong: frozenset[str]

    def is_wrong(self, path: str) -> bool:
        return path in self.wrong if self.right is None else path not in self.right

    @property
    def disagrees(self) -> bool:
        missing = (self.right or frozenset()) - set(self.said.causes)
        return bool(missing) or any(self.is_wrong(path) for path in self.said.causes)


class _Shown(BaseModel):
    model_config = ConfigDict(frozen=True)


class CategoryQuality(_Shown):
    """`answered` feedbacks had this among their causes. Of those that a person judged, `kept` and
    `corrected_away` add up to the judged ones; `corrected_to` were given it by a person.

    `right_if_silence_is_consent` counts every answer that nobody corrected as right: too high, since most are
    never looked at. `right_of_judged` counts judged ones only: too low, since people judge what looks wrong.
    The truth lies between.
    """

    path: str
    answered: int
    kept: int
    corrected_away: int
    corrected_to: int
    right_if_silence_is_consent: Share
    right_of_judged: Share


class Whole(_Shown):
    """Over all feedback in which the machine read words. `disagreed`: a person changed its causes.

    `unclear_resolved` of the unclear ones were given a cause by a person.
    """

    read: int
    judged: int
    disagreed: Share
    unclear: Share
    unclear_resolved: int


class VersionQuality(_Shown):
    """`version` is taxonomy and model, each name@version."""

    version: str
    whole: Whole


class CauseQuality(_Shown):
    """The last `days` days. A correction counts where the feedback was accepted, with what the machine had
    said before it was corrected: what it says of that feedback later, it was told."""

    days: int
    whole: Whole
    categories: tuple[CategoryQuality, ...]
    versions: tuple[VersionQuality, ...]


@dataclass(slots=True)
class _Count:
    answered: int = 0
    kept: int = 0
    away: int = 0
    to: int = 0


@dataclass(slots=True)
class _Sum:
    read: int = 0
    judged: int = 0
    disagreed: int = 0
    unclear: int = 0
    resolved: int = 0

    def shown(self) -> Whole:
        return Whole(
            read=self.read,
            judged=self.judged,
            disagreed=wilson(self.disagreed, self.read),
            unclear=wilson(self.unclear, self.read),
            unclear_resolved=self.resolved,
        )


@dataclass(slots=True)
class _Tally:
    whole: _Sum = field(default_factory=_Sum)
    versions: dict[str, _Sum] = field(default_factory=lambda: defaultdict(_Sum))
    categories: dict[str, _Count] = field(default_factory=lambda: defaultdict(_Count))

    def silent(self, one: Answered) -> None:
        for total in (self.whole, self.versions[one.version]):
            total.read += one.count
            total.unclear += one.count if not one.causes else 0
        for path in one.causes:
            self.categories[path].answered += one.count

    def judged(self, one: Judged) -> None:
        self.silent(one.said)
        for total in (self.whole, self.versions[one.said.version]):
            total.judged += 1
            total.disagreed += one.disagrees
            total.resolved += bool(one.right) and not one.said.causes
        for path in one.said.causes:
            count = self.categories[path]
            count.away += one.is_wrong(path)
            count.kept += not one.is_wrong(path)
        for path in (one.right or frozenset()) - set(one.said.causes):
            self.categories[path].to += 1


def quality_of(days: int, silent: Iterable[Answered], judged: Iterable[Judged]) -> CauseQuality:
    """`silent` are those that nobody judged. Pure."""
    tally = _Tally()
    for answered in silent:
        tally.silent(answered)
    for one in judged:
        tally.judged(one)
    versions = sorted(tally.versions.items(), key=lambda v: (-v[1].read, v[0]))[:MOST_VERSIONS]
    categories = sorted(tally.categories.items(), key=lambda c: (-c[1].answered, c[0]))
    return CauseQuality(
        days=days,
        whole=tally.whole.shown(),
        categories=tuple(_category(path, count) for path, count in categories),
        versions=tuple(VersionQuality(version=name, whole=one.shown()) for name, one in versions),
    )


def _category(path: str, count: _Count) -> CategoryQuality:
    return CategoryQuality(
        path=path,
        answered=count.answered,
        kept=count.kept,
        corrected_away=count.away,
        corrected_to=count.to,
        right_if_silence_is_consent=wilson(count.answered - count.away, count.answered),
        right_of_judged=wilson(count.kept, count.kept + count.away),
    )


class TellQuality:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def __call__(self, tenant_id: str, days: int) -> CauseQuality:
        asked = {"tenant": tenant_id, "since": self._clock.now() - timedelta(days=days)}
        async with self._database.tenant(tenant_id) as connection:
            counts, judged = await _read(connection, asked)
        # What was judged is among the answers, too: it is counted once, as the machine had said it then.
        return quality_of(days, counts, judged)


async def _read(connection: AsyncConnection, asked: Mapping[str, Any]) -> tuple[list[Answered], list[Judged]]:
    rows = (await connection.execute(_ANSWERED, asked)).mappings().all()
    left = {(tuple(row["answered"]), row["answered_by"] or ""): row["count"] for row in rows}
    judged = []
    for row in (await connection.execute(_CORRECTED, asked)).mappings():
        if row["answered"] is not None:
            left[tuple(row["answered"]), row["answered_by"] or ""] -= 1
        judged.append(_judged(row))
    return [Answered(causes, by, n) for (causes, by), n in left.items() if n > 0], judged


def _judged(row: Mapping[Any, Any]) -> Judged:
    said, right = row["said"], row["right_causes"]
    causes: Sequence[str] = [cause["path"] for cause in said["root_causes"]]
    version = " ".join([str(said["taxonomy"]).split("+", 1)[0], *said["models"][:1]])
    return Judged(
        Answered(tuple(causes), version),
        None if right is None else frozenset(right),
        frozenset(row["wrong_causes"]),
    )
