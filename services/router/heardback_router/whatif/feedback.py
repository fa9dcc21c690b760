"""One feedback decided anew, from what was stored with it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson

from heardback_router.routing.domain import Decision, RoutingPolicy, decide
from heardback_router.routing.inputs import inputs_of
from heardback_router.whatif.domain import Case, Outcome, canonical
from heardback_shared.contracts.customer import CustomerSnapshot
from heardback_shared.contracts.events import Embedding, FeedbackAccepted, FeedbackScored
from heardback_shared.contracts.feedback import FeedbackContent
from heardback_shared.contracts.score import Band, RootCause, Score, Severity
from heardback_shared.ids import derived_id

OPEN = frozenset({"open", "in_progress"})


@dataclass(frozen=True, slots=True)
class Stored:
    """A feedback as the router keeps it, with what its item is now."""

    tenant_id: str
    feedback_id: str
    item_id: str
    decision: Mapping[str, Any]
    item_team: str
    item_state: str
    item_touched: bool

    @property
    def opened(self) -> bool:
        """True where this feedback opened its item."""
        return self.item_id == derived_id("it", self.tenant_id, self.feedback_id)


@dataclass(frozen=True, slots=True)
class Judged:
    """What scoring says of one feedback under some policies. `because`: why it was left as it was."""

    severity: Severity
    root_causes: tuple[RootCause, ...]
    runners_up: tuple[RootCause, ...]
    taxonomy: str
    because: str | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Judged":
        """Raises ValueError where the row does not have the shape."""
        return cls(
            Severity.model_validate(row["severity"]),
            tuple(RootCause.model_validate(cause) for cause in row["root_causes"]),
            tuple(RootCause.model_validate(cause) for cause in row["runners_up"]),
            row["taxonomy"],
            row.get("because"),
        )

    @classmethod
    def stored(cls, score: Score) -> "Judged":
        return cls(score.severity, score.root_causes, score.runners_up, score.taxonomy)


def routed(stored: Stored, base: RoutingPolicy, candidate: RoutingPolicy) -> Case:
    """The same reading under two routing policies."""
    inputs = stored.decision["inputs"]
    before = decide(inputs, base)
    replayed = None
    if stored.decision["policy"] == base.name:
        replayed = canonical(before.record) == canonical(stored.decision)
    after = decide(inputs, candidate)
    return _case(
        stored, _outcome(inputs, before, base), _outcome(inputs, after, candidate), replayed=replayed
    )


def judged(
    stored: Stored, scored: FeedbackScored, before: Judged, after: Judged, policy: RoutingPolicy
) -> Case:
    """Two readings under the same routing policy, decided at the time of the first decision."""
    at = datetime.fromisoformat(stored.decision["inputs"]["at"])
    outcomes = []
    for one in (before, after):
        inputs = inputs_of(_with(scored, one), at)
        outcomes.append(_outcome(inputs, decide(inputs, policy), policy))
    return _case(stored, outcomes[0], outcomes[1], not_judged=after.because is not None)


def corrected(judged_anew: Judged, as_stored: Judged, held: frozenset[str]) -> Judged:
    """What a person said stays, whatever would be found anew."""
    if "severity" in held:
        judged_anew = replace(judged_anew, severity=as_stored.severity)
    if "causes" in held:
        judged_anew = replace(judged_anew, root_causes=as_stored.root_causes, runners_up=as_stored.runners_up)
    return judged_anew


def came_out_again(kind: str, judged_anew: Judged, score: Score, policy: str) -> bool | None:
    """Whether the same policy gives again what was stored, to the last bit; None if it was another policy."""
    if kind == "severity":
        by, same = score.severity.policy, judged_anew.severity == score.severity
    else:
        # A taxonomy's name on a score goes on after a plus sign with what people taught it.
        by = score.taxonomy.partition("+")[0]
        same = (judged_anew.root_causes, judged_anew.runners_up) == (score.root_causes, score.runners_up)
    return same if by == policy and judged_anew.because is None else None


def scored_of(row: Mapping[str, Any]) -> FeedbackScored:
    """The scored event as far as it was kept."""
    accepted = FeedbackAccepted(
        feedback_id=row["feedback_id"],
        revision=row["revision"],
        pass_number=row["pass_number"],
        accepted_at=row["accepted_at"],
        content=FeedbackContent.model_validate_json(row["content"]),
        customer=CustomerSnapshot.model_validate_json(row["customer"]) if row["customer"] else None,
    )
    return FeedbackScored(
        accepted=accepted, score=Score.model_validate_json(row["score"]), scored_at=row["scored_at"]
    )


def asked_of(score: str, scored: FeedbackScored, embedding: Embedding | None) -> dict[str, Any]:
    """The row as scoring judges it; `score` is the score's JSON as it was stored."""
    return {
        "accepted": scored.accepted.model_dump(mode="json"),
        "score": orjson.Fragment(score.encode()),
        "embedding": embedding.model_dump(mode="json") if embedding else None,
    }


def _with(scored: FeedbackScored, anew: Judged) -> FeedbackScored:
    score = scored.score.model_copy(
        update={
            "severity": anew.severity,
            "root_causes": anew.root_causes,
            "runners_up": anew.runners_up,
            "taxonomy": anew.taxonomy,
        }
    )
    return scored.model_copy(update={"score": score})


def _outcome(inputs: Mapping[str, Any], decision: Decision, policy: RoutingPolicy) -> Outcome:
    score = inputs["score"]
    band: Band = score["severity"]["band"]
    return Outcome(
        team=decision.team,
        band=band,
        severity=score["severity"]["score"],
        causes=tuple(score["root_causes"]),
        triage=decision.team == policy.catch_all,
        rule=decision.rule,
        because=decision.because,
    )


def _case(
    stored: Stored,
    before: Outcome,
    after: Outcome,
    *,
    replayed: bool | None = None,
    not_judged: bool = False,
) -> Case:
    opened = stored.opened
    return Case(
        item_id=stored.item_id,
        before=before,
        after=after,
        feedback_id=stored.feedback_id,
        sits_with=stored.item_team if opened and stored.item_state in OPEN else None,
        opened=opened,
        movable=not stored.item_touched,
        replayed=replayed,
        not_judged=not_judged,
    )
