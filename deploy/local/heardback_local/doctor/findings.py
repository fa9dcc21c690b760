"""What a check can say."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `mend` says what to do; it is empty when all is well."""

    subject: str
    verdict: Verdict
    detail: str
    mend: str = ""
