"""The shape of a severity policy. What would break the promise "worse is never lower" is refused here."""

from functools import cached_property
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from heardback_scoring.domain.curve import Curve
from heardback_shared.contracts.customer import Tier

Points = Annotated[float, Field(ge=0, le=100)]
Share = Annotated[float, Field(ge=0, le=1)]

SMALL = 0.01
"""A small change: of a probability, a share of a scale or of a value, sentiment (−1 to 1), intensity."""
QUANTUM = 0.25
"""Points come in quarters: binary floats add quarters up without an error."""

RECORD = ("contacts_30d", "open_items", "transfers", "broken_promises", "open_promises", "breaches")
"""What went before, as named in the customer's history."""


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Bands(_Data):
    """The lowest score of each band; P4 is everything below P3."""

    p1: Points
    p2: Points
    p3: Points

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not 100 >= self.p1 > self.p2 > self.p3 > 0:
            raise ValueError("bands must fall: p1 > p2 > p3 > 0")
        return self


class Feeling(_Data):
    """`share` of the points by sentiment (−1 to 1). `intensity` is added in full by the strongest words and
    `played_down` taken off by the mildest (as much as `intensity` where not given); at good sentiment
    neither. Words that are surely sarcastic count `sarcasm` at least; a `wish` adds its points, and so does
    a `consequence` that is told.

    A conversation: `unresolved` is added where it ended so. What was said on the way (the lowest point, and
    cues that pass) counts less by the share `resolved` where it was resolved, and by the share `recovered`
    of its last sentiment.

    `small_value` is the share of the mood (words, and cues that are moods) that is taken off by the lifetime
    value, where that is known: a one-off buyer's anger puts less of a relationship at stake.
    """

    lowest: Points
    end: Points
    intensity: Points
    share: Curve
    sarcasm: Points
    wish: Points
    played_down: Points | None = None
    consequence: Points = 0.0
    unresolved: Points
    resolved: Share
    recovered: Curve
    small_value: Curve

    @model_validator(mode="after")
    def _lower_is_worse(self) -> Self:
        if not (self.share.falls and self.share.within(0, 1)):
            raise ValueError("feeling.share: lower sentiment is worse; it must fall, within 0 and 1")
        if not (self.recovered.rises and self.recovered.within(0, 1)):
            raise ValueError("feeling.recovered: a better end takes off more; it must rise, within 0 and 1")
        if not (self.small_value.falls and self.small_value.within(0, 1)):
            raise ValueError("feeling.small_value: more value is worse; it must fall, within 0 and 1")
        if self.mildest > self.lowest:
            raise ValueError(
                "feeling.intensity and played_down must not exceed feeling.lowest, or mild words would praise"
            )
        return self

    @property
    def mildest(self) -> float:
        """What the mildest words take off."""
        return self.intensity if self.played_down is None else self.played_down

    def by_intensity(self, intensity: float) -> float:
        """The points of an intensity of −1 to 1, below zero where it is put mildly."""
        return (self.intensity if intensity > 0 else self.mildest) * max(-1.0, min(1.0, intensity))


class Answer(_Data):
    """The answer on the scale. `share` of the points by the share of the best answer (0 to 1); `alone` are
    the points where there is no text to read.

    `not_believed` and `doubted` tell where answer and words disagree, by the sentiment at its lowest: bad
    words make a good answer count at least that share of the points, good words leave that share of a bad
    answer's points. `fall` is the share of `fall_points` by how far the answer lies below the usual.
    """

    points: Points
    alone: Points
    share: Curve
    not_believed: Curve
    doubted: Curve
    fall_points: Points
    fall: Curve

    @model_validator(mode="after")
    def _lower_is_worse(self) -> Self:
        for name in ("share", "not_believed", "doubted"):
            curve: Curve = getattr(self, name)
            if not (curve.falls and curve.within(0, 1)):
                raise ValueError(f"answer.{name}: lower is worse; it must fall, within 0 and 1")
        if not (self.fall.rises and self.fall.within(0, 1)):
            raise ValueError("answer.fall: a deeper fall is worse; it must rise, within 0 and 1")
        return self


class CueWeight(_Data):
    """`passes`: over once a conversation ends well. `mood`: says how it feels, not what happened."""

    points: Points
    because: str
    passes: bool = False
    mood: bool = False

    @model_validator(mode="after")
    def _moods_pass(self) -> Self:
        if self.mood and not self.passes:
            raise ValueError("a cue that is a mood passes as well")
        return self


class Counts(_Data):
    """How much of some points count. `unknown` is the share where neither text nor answer is known."""

    by_hurt: Curve
    by_mood: Curve = Curve(((0.0, 0.0),))
    """By the sentiment midway between lowest and end; the greater of the two shares counts."""
    unknown: Share

    @model_validator(mode="after")
    def _worse_counts_more(self) -> Self:
        if not (self.by_hurt.rises and self.by_hurt.within(0, 1)):
            raise ValueError("by_hurt must rise, within 0 and 1")
        if not (self.by_mood.falls and self.by_mood.within(0, 1)):
            raise ValueError("by_mood must fall, within 0 and 1")
        return self


class SeverityPolicy(_Data):
    """Weights of `severity.assess`. `policy` is name@version; change a figure, raise the version.

    `largest_step` is the promise that no small change of one numeric input moves the score by more: SMALL
    of a probability, sentiment, scale, intensity or value, one day of renewal or of the profile's age. A
    policy whose curves allow more is refused.
    """

    policy: str
    bands: Bands
    largest_step: Points
    feeling: Feeling
    answer: Answer
    cues: dict[str, CueWeight]
    floors: dict[str, Curve]
    """No score below this, by the cue's probability."""
    floor_keeps: Share
    """The share of the rest that is added to a floor, so that of two with the same grave cue one is worse."""
    ceiling: Curve
    """The score by the sum of the points: as it is at first, then ever less, to 100 at most."""
    record: dict[str, Curve]
    """Points of what went before, by its count; they count as `record_counts` says."""
    record_counts: Counts
    tiers: dict[Tier, Points]
    lifetime_value: Curve
    renewal: Curve
    """By days to the renewal date, negative once it has passed."""
    freshness: Curve
    """The share of the points of tier, value and renewal date, by the age of the profile in days."""
    touchpoints: dict[str, Points]
    standing_counts: Counts
    """How much tier, value, renewal date and touchpoint count."""
    standing_by_leaving: Curve
    """That share at least, by the probability of the cue wants_to_leave: all of it is at stake then."""

    @model_validator(mode="after")
    def _worse_is_never_lower(self) -> Self:
        self._check_names()
        for name, curve in (*self.record.items(), ("lifetime_value", self.lifetime_value)):
            if not (curve.rises and curve.within(0, 100)):
                raise ValueError(f"{name}: more is worse; the points must rise, within 0 and 100")
        highest = 100 * (1 - self.floor_keeps)
        for name, curve in self.floors.items():
            if not (curve.rises and curve.within(0, highest)):
                raise ValueError(f"floors.{name} must rise with the probability, within 0 and {highest:g}")
        self._check_ceiling()
        self._check_profile()
        tiers = self.tiers
        if not tiers["standard"] <= tiers["key"] <= tiers["strategic"]:
            raise ValueError("tiers: points must not fall from standard over key to strategic")
        if self.steepest > self.largest_step:
            raise ValueError(
                f"largest_step: the curves allow a step of {self.steepest:.1f} points; state at least that,"
                " or make the curves less steep"
            )
        return self

    def _check_profile(self) -> None:
        ahead = [points for days, points in self.renewal.root if days >= 0]
        if ahead != sorted(ahead, reverse=True) or not self.renewal.within(0, 100):
            raise ValueError("renewal: nearer is worse; from day 0 on the points must fall, within 0 and 100")
        if self.renewal.at(-1e-9) > self.renewal.at(0) or self.renewal.root[0][0] > 0:
            raise ValueError("renewal: give the points at day 0 or before, none above those of day 0")
        if not (self.freshness.falls and self.freshness.within(0, 1)):
            raise ValueError("freshness: an older profile counts less; it must fall, within 0 and 1")
        if not (self.standing_by_leaving.rises and self.standing_by_leaving.within(0, 1)):
            raise ValueError("standing_by_leaving must rise with the probability, within 0 and 1")

    def _check_ceiling(self) -> None:
        if self.ceiling.root[0] != (0.0, 0.0) or not self.ceiling.rises or self.ceiling.steepest > 1:
            raise ValueError("ceiling must begin at [0, 0] and rise, by no more than the sum does")
        if self.ceiling.most > 100:
            raise ValueError("ceiling must end at 100 at most")

    def _check_names(self) -> None:
        if set(self.tiers) != {"standard", "key", "strategic"}:
            raise ValueError("tiers: give points for standard, key and strategic")
        if set(self.record) != set(RECORD):
            raise ValueError(f"record: give points for {', '.join(RECORD)}")

    @cached_property
    def steepest(self) -> float:
        """The most that one small change can move the score, worked out from the curves.

        A change of what the feedback says counts itself, counts more of the record, and both count more of
        the standing; where all of it meets at its steepest is the bound, hence seldom reached.
        """
        record = sum(curve.most for curve in self.record.values())
        profile = self.tiers["strategic"] + self.lifetime_value.most + self.renewal.most
        standing = profile + max(self.touchpoints.values(), default=0.0)
        by_record = 1 + self.standing_counts.by_hurt.steepest * standing
        by_own = (1 + self.record_counts.by_hurt.steepest * record) * by_record
        feeling, answer = self.feeling, self.answer
        words = feeling.share.steepest * (feeling.lowest + feeling.end + feeling.intensity)
        words += answer.points * max(answer.not_believed.steepest, answer.doubted.steepest)
        passing = sum(weight.points for weight in self.cues.values() if weight.passes)
        words += feeling.recovered.steepest * (feeling.lowest + feeling.intensity + passing)
        moods = sum(weight.points for weight in self.cues.values() if weight.mood)
        moods += feeling.lowest + feeling.end + feeling.intensity
        small_value = feeling.small_value.steepest_relative * moods
        mood = self.record_counts.by_mood.steepest * record * by_record
        on_scale = max(answer.points, answer.alone) * answer.share.steepest
        on_scale += answer.fall_points * answer.fall.steepest
        cue = max((weight.points for weight in self.cues.values()), default=0.0) + feeling.sarcasm
        steps = (
            SMALL * (words * by_own + mood),
            SMALL * on_scale * by_own,
            SMALL * (cue * by_own + self.standing_by_leaving.steepest * standing),
            SMALL * max(feeling.intensity, feeling.mildest) * by_own,
            SMALL * max((floor.steepest for floor in self.floors.values()), default=0.0),
            SMALL * (self.lifetime_value.steepest_relative + small_value * by_own),
            self.renewal.steepest,
            self.freshness.steepest * profile,
        )
        return max(steps) + 2 * QUANTUM
