"""How it feels: readings from probabilities, of one text and of everything the customer said."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from heardback_shared.contracts.feedback import Resolution
from heardback_shared.contracts.score import Probabilities, Sentiment, SentimentReading, Trajectory


class SentimentPolicy(BaseModel):
    """Thresholds and weights of the rules below."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy: str
    abstain_top_below: float = Field(ge=0, le=1)
    abstain_margin_below: float = Field(ge=0, le=1)
    recency: float = Field(ge=0)
    most_words: int = Field(ge=1)
    lowest_min_words: int = Field(ge=0)
    satisfaction_end: float = Field(ge=0)
    satisfaction_overall: float = Field(ge=0)
    satisfaction_lowest: float = Field(ge=0)
    satisfaction_resolution: float = Field(ge=0, le=1)
    mismatch_share: float = Field(ge=0, le=1)
    mismatch_score: float = Field(ge=-1, le=0)


@dataclass(frozen=True, slots=True)
class ReadTurn:
    """One customer text as the model read it. Probabilities need not be rounded; they are normalised."""

    index: int
    words: int
    negative: float
    neutral: float
    positive: float

    @property
    def score(self) -> float:
        return self.positive - self.negative


def reading(negative: float, neutral: float, positive: float, policy: SentimentPolicy) -> SentimentReading:
    """Label = the most probable class (a tie is neutral), score = P(positive) − P(negative), four decimals.

    Abstained when the best class is below `abstain_top_below`, or leads by less than `abstain_margin_below`.
    Raises ValueError when the three are no probabilities.
    """
    total = negative + neutral + positive
    if not (min(negative, neutral, positive) >= 0 and 0 < total < math.inf):
        raise ValueError(f"not probabilities: {negative}, {neutral}, {positive}")
    negative, neutral, positive = negative / total, neutral / total, positive / total
    first, second = sorted((negative, neutral, positive), reverse=True)[:2]
    label: Sentiment = "neutral"
    if negative == first > max(neutral, positive):
        label = "negative"
    elif positive == first > max(neutral, negative):
        label = "positive"
    return SentimentReading(
        label=label,
        score=round(positive - negative, 4),
        probabilities=Probabilities(
            negative=round(negative, 4), neutral=round(neutral, 4), positive=round(positive, 4)
        ),
        abstained=first < policy.abstain_top_below or first - second < policy.abstain_margin_below,
    )


def nothing_said() -> SentimentReading:
    """The reading of a text that says nothing ("n/a"): neutral by rule, abstained, no model asked."""
    nothing = Probabilities(negative=0.0, neutral=1.0, positive=0.0)
    return SentimentReading(label="neutral", score=0.0, probabilities=nothing, abstained=True)


def overall(turns: Sequence[ReadTurn], policy: SentimentPolicy) -> SentimentReading | None:
    """The weighted mean of the turns' probabilities; None without turns.

    The weight of a turn is √(words, at most `most_words`) × (1 + `recency` × its place from 0, first, to 1,
    last): longer turns say more, later ones say how it ended.
    """
    if not turns:
        return None
    last = len(turns) - 1
    negative = neutral = positive = 0.0
    for place, turn in enumerate(turns):
        weight = math.sqrt(min(max(turn.words, 1), policy.most_words))
        weight *= 1.0 + (policy.recency * place / last if last else 0.0)
        negative += weight * turn.negative
        neutral += weight * turn.neutral
        positive += weight * turn.positive
    return reading(negative, neutral, positive, policy)


def trajectory(turns: Sequence[ReadTurn], policy: SentimentPolicy) -> Trajectory | None:
    """First, lowest and last score of the customer's turns; None without turns.

    `lowest` looks only at turns of `lowest_min_words` words and more (a bare "no" is no low point), and at
    the last turn; at all turns when none is that long.
    """
    if not turns:
        return None
    candidates = [t for t in turns if t.words >= policy.lowest_min_words] or list(turns)
    low = min((*candidates, turns[-1]), key=lambda t: (round(t.score, 4), t.index))
    start, lowest, end = (round(t.score, 4) for t in (turns[0], low, turns[-1]))
    return Trajectory(
        start=start, lowest=lowest, lowest_turn=low.index, end=end, recovery=round(max(0.0, end - lowest), 4)
    )


def satisfaction(
    policy: SentimentPolicy,
    *,
    sentiment: float | None,
    metric_share: float | None,
    path: Trajectory | None = None,
    resolution: Resolution | None = None,
    predicted: float | None = None,
    answered: bool = True,
) -> float | None:
    """How content the customer is, −1…1; None when there is nothing to tell it from.

    A conversation: what the satisfaction model `predicted`; where there is none (the fallback read it), the
    formula: the weighted mean of end, overall and lowest sentiment. The model was trained on conversations
    with answers; of one that nobody `answered` it is the mean of both. Either ± `satisfaction_resolution`
    when the platform says resolved or unresolved, clamped. A survey: the mean of the metric (put on −1…1)
    and the sentiment, or the only one there is; where the two disagree (`disagrees`), the text alone.
    """
    if path is not None and sentiment is not None:
        formula = _by_formula(policy, sentiment, path)
        value = formula if predicted is None else predicted if answered else (predicted + formula) / 2
        value += {"resolved": 1, "unresolved": -1}.get(resolution or "", 0) * policy.satisfaction_resolution
    elif metric_share is None or sentiment is None:
        known = sentiment if metric_share is None else 2 * metric_share - 1
        if known is None:
            return None
        value = known
    elif disagrees(policy, sentiment, metric_share):
        value = sentiment
    else:
        value = (sentiment + 2 * metric_share - 1) / 2
    return round(max(-1.0, min(1.0, value)), 4)


def _by_formula(policy: SentimentPolicy, sentiment: float, path: Trajectory) -> float:
    weights = (policy.satisfaction_end, policy.satisfaction_overall, policy.satisfaction_lowest)
    parts = (path.end, sentiment, path.lowest)
    return sum(w * p for w, p in zip(weights, parts, strict=True)) / (sum(weights) or 1.0)


def interval(value: float, half_width: float) -> tuple[float, float]:
    """From `half_width` below to `half_width` above, within −1…1."""
    return (round(max(-1.0, value - half_width), 4), round(min(1.0, value + half_width), 4))


def disagrees(policy: SentimentPolicy, sentiment: float | None, metric_share: float | None) -> bool:
    """A good metric with a clearly negative text. The text is believed; a person should look."""
    return (
        sentiment is not None
        and metric_share is not None
        and metric_share >= policy.mismatch_share
        and sentiment <= policy.mismatch_score
    )
