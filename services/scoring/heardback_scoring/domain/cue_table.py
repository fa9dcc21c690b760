"""The cue patterns for English. A test runs their examples; change one, raise the version."""

from heardback_scoring.domain.cue_table_mood import MOOD
from heardback_scoring.domain.cue_table_stakes import STAKES

POLICY = "cues-en@1"
CUES = STAKES + MOOD
