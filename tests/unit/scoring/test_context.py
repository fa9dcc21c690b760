"""Context lost in a conversation: the written transcripts are heard with the recall that is promised."""

from collections import Counter
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
TRANSCRIPTS: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parents[2] / "support/context_transcripts.yaml").read_text("utf-8")
)
FINDER = CueFinder(CUES)


def turn_of(line: str) -> Turn:
    who, text = line.split(": ", 1)
    role, _, speaker = who.partition(" ")
    return Turn.model_validate({"role": ROLES[role], "speaker": speaker or None, "text": text})


def turns_of(*lines: str) -> list[Turn]:
    return [turn_of(line) for line in lines]


def shown(turns: list[Turn]) -> set[str]:
    names = {cue.name for cue in context_cues(turns, {}, POLICY)}
    for i, turn in enumerate(turns):
        if turn.role == "customer":
            names |= {cue.name for cue in FINDER.find(i, Text.of(turn.text))} & NAMES
    return names


def test_recall_and_precision_over_the_written_transcripts() -> None:
    right, wanted, heard = Counter[str](), Counter[str](), Counter[str]()
    for transcript in TRANSCRIPTS:
        names = shown(turns_of(*transcript["turns"]))
        right.update(names & set(transcript["shows"]))
        wanted.update(transcript["shows"])
        heard.update(names)
    assert len(TRANSCRIPTS) >= 40
    assert min(wanted[name] for name in NAMES) >= 8
    for name in NAMES:
        assert right[name] / wanted[name] >= 0.8, (name, right, wanted)
        assert right[name] / heard[name] >= 0.9, (name, right, heard)


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
