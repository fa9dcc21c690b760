"""Whether a person should take over now, and why."""

from collections.abc import Mapping, Sequence
from typing import get_args

from pydantic import BaseModel, ConfigDict, Field

from heardback_shared.contracts.score import Band, Cue, Handover, Language, Probability, Trajectory

_NOT_NOW = Handover(now=False, because="Nothing in it asks for a person now.")
_AT_BAND: Mapping[Band, Handover] = {
    band: Handover(now=True, because=f"The severity is {band}.") for band in get_args(Band)
}


class HandoverPolicy(BaseModel):
    """Cues that hand over by themselves (with the sentence that says why), cues that need a bad mood as well,
    bands, and the sentiment from which a conversation counts as going badly.

    A cue counts from its probability in `at_least` on, or from `otherwise_at_least`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy: str
    cues: dict[str, str]
    cues_when_negative: dict[str, str]
    at_least: dict[str, Probability]
    otherwise_at_least: float = Field(ge=0, le=1)
    negative_at: float = Field(ge=-1, le=0)
    bands: frozenset[Band]
    stuck_at: float = Field(ge=-1, le=0)
    stuck_turns: int = Field(ge=1)

    def counts(self, cue: Cue) -> bool:
        return cue.probability >= self.at_least.get(cue.name, self.otherwise_at_least)


def decide(
    policy: HandoverPolicy,
    *,
    cues: Sequence[Cue],
    band: Band,
    language: Language,
    readable: bool,
    sentiment: float | None,
    path: Trajectory | None,
    turns_read: int,
) -> Handover:
    """The first reason that applies: cue, unreadable language, band, a conversation that stays bad."""
    names = {cue.name for cue in cues if policy.counts(cue)}
    for name, because in policy.cues.items():
        if name in names:
            return Handover(now=True, because=because)
    if not readable:
        return Handover(
            now=True, because=f"Language {language.code!r} is not scored; a person should read it."
        )
    mood = min((s for s in (sentiment, path.end if path else None) if s is not None), default=0.0)
    if mood <= policy.negative_at:
        for name, because in policy.cues_when_negative.items():
            if name in names:
                return Handover(now=True, because=because)
    if band in policy.bands:
        return _AT_BAND[band]
    if path is not None and turns_read >= policy.stuck_turns and path.end <= policy.stuck_at:
        because = f"After {turns_read} turns the customer is still unhappy ({path.end:+.2f})."
        return Handover(now=True, because=because)
    return _NOT_NOW
