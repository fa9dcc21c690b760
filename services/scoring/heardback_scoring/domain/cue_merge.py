"""One list of cues from two sources: the model's probabilities and the patterns."""

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict, Field

from heardback_scoring.domain.context import ContextPolicy
from heardback_shared.contracts.score import Cue, Probability


class CuePolicy(BaseModel):
    """The model's probability from which a cue counts: its own in `thresholds`, otherwise `default`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy: str
    default: float = Field(gt=0, le=1)
    thresholds: dict[str, Probability]
    context: ContextPolicy

    def fires(self, name: str, probability: float) -> bool:
        return probability >= self.thresholds.get(name, self.default)


def merged(
    patterns: Sequence[Cue], read: Sequence[tuple[int, Mapping[str, float]]], policy: CuePolicy
) -> tuple[Cue, ...]:
    """The cues of all turns in `read` (turn, probability by name) and of `patterns`, turn by turn.

    A cue fires when its pattern matched or the model is sure enough; neither source vetoes the other. Its
    probability is the greater of the two. They are no independent witnesses: both read the same words, so
    noisy-or would count one piece of evidence twice; the greater stays below what is true of both together,
    and rises with either. The span is the pattern's, None where only the model fired.
    """
    by_turn: dict[int, dict[str, Cue]] = {}
    for cue in patterns:
        by_turn.setdefault(cue.turn, {}).setdefault(cue.name, cue)
    for turn, probabilities in read:
        found = by_turn.setdefault(turn, {})
        for name in sorted(probabilities):
            known, probability = found.get(name), min(1.0, probabilities[name])
            sure = policy.fires(name, probability)
            if known is not None:
                found[name] = _with_model(known, probability, sure=sure)
            elif sure:
                found[name] = Cue(name=name, probability=round(probability, 4), turn=turn, by="model")
    return tuple(cue for turn in sorted(by_turn) for cue in by_turn[turn].values())


def _with_model(pattern: Cue, probability: float, *, sure: bool) -> Cue:
    greater = round(max(pattern.probability, probability), 4)
    return pattern.model_copy(update={"probability": greater, "by": "both" if sure else "pattern"})
