"""Context lost in a conversation: the written transcripts are heard with the recall that is promised."""

from collections import Counter
from collections.abc import Set
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.support.scoring import POLICIES

from heardback_scoring.domain.context import ASKED_AGAIN, ASKS_AGAIN, PASSED_AROUND, context_cues
from heardback_scoring.domain.cue_table import CUES
from heardback_scoring.domain.cues import CueFinder
from heardback_scoring.domain.words import Text
from heardback_shared.contracts.feedback import Turn

POLICY = POLICIES.cues.context
NAMES = {ASKS_AGAIN, ASKED_AGAIN, PASSED_AROUND}
ROLES = {"c": "customer", "a": "agent", "b": "bot"}
TOLD_BEFORE = "repeated_contact"


def written(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((SUPPORT / name).read_text("utf-8"))
    return found


SUPPORT = Path(__file__).parents[2] / "support"
TRANSCRIPTS = written("context_transcripts.yaml")
LATER = written("context_transcripts_later.yaml")
FINDER = CueFinder(CUES)


def turn_of(line: str) -> Turn:
    who, text = line.split(": ", 1)
    role, _, speaker = who.partition(" ")
    return Turn.model_validate({"role": ROLES[role], "speaker": speaker or None, "text": text})


def turns_of(*lines: str) -> list[Turn]:
    return [turn_of(line) for line in lines]


def shown(turns: list[Turn], names: Set[str]) -> set[str]:
    """Which of these cues are heard."""
    heard = {cue.name for cue in context_cues(turns, {}, POLICY)}
    for i, turn in enumerate(turns):
        if turn.role == "customer":
            heard |= {cue.name for cue in FINDER.find(i, Text.of(turn.text))} & names
    return heard


@pytest.mark.parametrize(
    ("transcripts", "names", "each"),
    [(TRANSCRIPTS, NAMES, 8), (LATER, NAMES | {TOLD_BEFORE}, 5)],
    ids=["first", "later"],
)
def test_recall_and_precision_over_the_written_transcripts(
    transcripts: list[dict[str, Any]], names: set[str], each: int
) -> None:
    right, wanted, heard = Counter[str](), Counter[str](), Counter[str]()
    for transcript in transcripts:
        found = shown(turns_of(*transcript["turns"]), names)
        right.update(found & set(transcript["shows"]))
        wanted.update(transcript["shows"])
        heard.update(found)
    assert set(wanted) == names
    assert min(wanted.values()) >= each
    for name in names:
        assert right[name] / wanted[name] >= 0.8, (name, right, wanted)
        assert right[name] / heard[name] >= 0.8, (name, right, heard)
    assert right.total() / heard.total() >= 0.9


def test_the_turn_and_the_words_are_shown() -> None:
    turns = turns_of(
        "a: Your order number please?", "c: 12", "c: So?", "a: Sorry, what is your Order Number?"
    )
    [cue] = context_cues(turns, {}, POLICY)
    assert (cue.name, cue.turn, cue.by) == (ASKED_AGAIN, 3, "pattern")
    assert cue.span is not None
    assert turns[3].text[slice(*cue.span)] == "Order Number"


def test_other_words_with_the_same_meaning_count_where_the_model_has_embeddings() -> None:
    turns = turns_of("c: When does my parcel get here?", "a: Hm.", "c: What date is the package due?")
    near, far = np.array([0.6, 0.8], np.float32), np.array([1.0, 0.0], np.float32)
    assert context_cues(turns, {}, POLICY) == ()
    assert context_cues(turns, {0: near, 2: far}, POLICY) == ()
    assert [cue.name for cue in context_cues(turns, {0: near, 2: near}, POLICY)] == [ASKS_AGAIN]
    orders = turns_of("c: Please cancel order 7", "a: Done.", "c: Please cancel order 8")
    assert context_cues(orders, {0: near, 2: near}, POLICY) == ()


@pytest.mark.parametrize("role", ["agent", "bot"])
def test_a_message_sent_twice_asks_once(role: str) -> None:
    twice = turns_of("c: Where is my refund?", "c: Where is my refund?")
    answer = Turn.model_validate({"role": role, "text": "Hello"})
    assert context_cues(twice, {}, POLICY) == ()
    assert context_cues([twice[0], answer, twice[1]], {}, POLICY) != ()


LINES = st.lists(
    st.builds(
        Turn,
        role=st.sampled_from(["customer", "agent", "bot", "system"]),
        text=st.one_of(
            st.text(max_size=40), st.sampled_from([t[3:] for s in TRANSCRIPTS for t in s["turns"]])
        ),
        speaker=st.sampled_from([None, "Ann", "Bert"]),
    ),
    max_size=12,
)


@given(LINES)
def test_any_conversation_gets_each_cue_once_with_places_inside(turns: list[Turn]) -> None:
    cues = context_cues(turns, {}, POLICY)
    assert len({cue.name for cue in cues}) == len(cues)
    assert [cue.turn for cue in cues] == sorted(cue.turn for cue in cues)
    for cue in cues:
        assert cue.span is None or 0 <= cue.span[0] < cue.span[1] <= len(turns[cue.turn].text)


@given(LINES, LINES)
def test_what_was_shown_stays_shown_as_the_conversation_goes_on(turns: list[Turn], more: list[Turn]) -> None:
    assert set(context_cues(turns, {}, POLICY)) <= set(context_cues([*turns, *more], {}, POLICY))
