"""The cue patterns for English. A test runs their examples; change one, raise the version.

Where a `probability` was measured, a comment beside it says on what; the figures are in docs/listening.md.
"""

from heardback_scoring.domain.cue_table_facts import FACTS
from heardback_scoring.domain.cue_table_faults import FAULTS
from heardback_scoring.domain.cue_table_mood import MOOD
from heardback_scoring.domain.cue_table_personal import PERSONAL
from heardback_scoring.domain.cue_table_quiet import QUIET
from heardback_scoring.domain.cue_table_relation import RELATION
from heardback_scoring.domain.cue_table_stakes import STAKES

POLICY = "cues-en@5"
CUES = RELATION + STAKES + FAULTS + MOOD + QUIET + FACTS + PERSONAL
