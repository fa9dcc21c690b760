"""The set of policies one scoring process works by."""

from dataclasses import dataclass
from functools import cached_property

from heardback_scoring.domain import cue_table
from heardback_scoring.domain.cue_merge import CuePolicy
from heardback_scoring.domain.handover import HandoverPolicy
from heardback_scoring.domain.language import LanguagePolicy, spoken
from heardback_scoring.domain.mismatch import MismatchPolicy
from heardback_scoring.domain.plain_reading import PlainReading, ReadingPolicy
from heardback_scoring.domain.sentiment import SentimentPolicy
from heardback_scoring.domain.severity_policy import SeverityPolicy
from heardback_scoring.domain.taxonomy import Taxonomy


@dataclass(frozen=True)
class Policies:
    sentiment: SentimentPolicy
    language: LanguagePolicy
    severity: SeverityPolicy
    handover: HandoverPolicy
    taxonomy: Taxonomy
    cues: CuePolicy
    mismatch: MismatchPolicy
    reading: ReadingPolicy

    @cached_property
    def _plain(self) -> PlainReading:
        return PlainReading(self.reading)

    def spoken(self, text: str) -> str:
        """What the model gets of a text: signs and ratings in words, and nothing of who speaks."""
        return self._plain.of(spoken(text, self.language))

    @cached_property
    def versions(self) -> tuple[str, ...]:
        """name@version of every policy, always in the same order."""
        return (
            self.severity.policy,
            self.sentiment.policy,
            cue_table.POLICY,
            self.cues.policy,
            self.mismatch.policy,
            self.taxonomy.policy,
            self.language.policy,
            self.reading.policy,
            self.handover.policy,
        )
