"""The cue by which machines stop writing to a customer, measured on sentences it was not made from."""

from pathlib import Path

import yaml

from heardback_scoring.domain.cue_table import CUES
from heardback_scoring.domain.cues import CueFinder
from heardback_scoring.domain.words import Text

HELD_OUT = yaml.safe_load(
    Path(__file__).parents[2].joinpath("support", "too_personal_held_out.yaml").read_text("utf-8")
)
FINDER = CueFinder(CUES)


def heard(text: str) -> bool:
    return "too_personal" in {cue.name for cue in FINDER.find(0, Text.of(text))}


def test_recall_and_false_alarms_on_held_out_sentences() -> None:
    """A missed one is a customer who hears once more; a false one a message that a person has to release."""
    missed = [text for text in HELD_OUT["uneasy"] if not heard(text)]
    false = [text for text in HELD_OUT["fine"] if heard(text)]
    uneasy, fine = len(HELD_OUT["uneasy"]), len(HELD_OUT["fine"])
    assert uneasy >= 20
    assert fine >= 20
    assert len(missed) <= uneasy // 4, missed
    assert len(false) <= fine // 20, false
