"""Whether the answer on the scale and the words say opposite things. Such a pair is for a person to read."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from heardback_shared.contracts.score import Mismatch


class MismatchPolicy(BaseModel):
    """From which answers (shares of the best, 0…1) and which sentiments (−1…1) on the two contradict."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy: str
    good_share: float = Field(ge=0, le=1)
    bad_text: float = Field(ge=-1, lt=0)
    bad_share: float = Field(ge=0, le=1)
    good_text: float = Field(gt=0, le=1)

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.bad_share >= self.good_share:
            raise ValueError("bad_share must be below good_share, or one answer would be both")
        return self


def mismatch_of(
    policy: MismatchPolicy, sentiment: float | None, metric_share: float | None
) -> Mismatch | None:
    """`score_above_text`: a good answer with clearly negative words. `score_below_text`: a bad answer with
    clearly positive words, as when someone took 1 for the best. None when they agree or one is not known.
    """
    if sentiment is None or metric_share is None:
        return None
    if metric_share >= policy.good_share and sentiment <= policy.bad_text:
        return "score_above_text"
    if metric_share <= policy.bad_share and sentiment >= policy.good_text:
        return "score_below_text"
    return None
