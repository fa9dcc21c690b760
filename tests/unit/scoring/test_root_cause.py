"""Root causes: learnt from examples and corrections, explained by the nearest, unclear when nothing fits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.support.scoring import POLICIES

from heardback_scoring.domain.corrections import Correction, Corrections
from heardback_scoring.domain.root_cause import (
    Causes,
    EmbeddedTaxonomy,
    KeywordTaxonomy,
    nearest_causes,
    pooled,
)
from heardback_scoring.domain.taxonomy import Category, Decision, Taxonomy
from heardback_scoring.domain.words import Text

Vector = NDArray[np.float32]
TAXONOMY = POLICIES.taxonomy
DECISION = Decision(unclear_below=0.3, also_at=0.35, most=2, runners_up=1, keyword_confidence=0.5)


def category(letter: str, *keywords: str, cause: bool = True) -> Category:
    examples = tuple(f"{letter}{number} word{letter}" for number in range(1, 7))
    return Category(examples=examples, keywords=keywords, cause=cause)


SMALL = Taxonomy(
    policy="small@1",
    decision=DECISION,
    domains={
        "operations": {
            "billing": category("b", "invoice*", "money back"),
            "support": category("s", "rude", "invoice"),
        },
        "other": {"general": category("g", "great", cause=False)},
    },
)
# One axis per category, and one that none of them uses; examples lie a little beside their axis.
AXES = np.eye(10, dtype=np.float32)


def at(*parts: float) -> Vector:
    vector = np.zeros(10, dtype=np.float32)
    vector[: len(parts)] = parts
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def beside(axis: int, number: int) -> Vector:
    near = AXES[axis] + 0.3 * AXES[4 + number]
    return np.asarray(near / np.linalg.norm(near), dtype=np.float32)


EMBEDDED = EmbeddedTaxonomy(SMALL, np.stack([beside(axis, n) for axis in range(3) for n in range(6)]))


def read(vector: Vector, embedded: EmbeddedTaxonomy = EMBEDDED, text: str = "") -> Causes:
    [causes] = nearest_causes(vector[None], [text], embedded)
    return causes


def found(causes: Causes) -> set[str]:
    return {cause.path for cause in causes.found}


def test_the_category_wins_whose_examples_are_near_and_shows_them() -> None:
    [cause] = read(beside(0, 2)).found
    assert cause.path == "operations/billing"
    assert cause.confidence > 0.6
    assert cause.nearest[0].text == "b3 wordb"
    assert cause.nearest[0].similarity == pytest.approx(1.0)
    assert len(cause.nearest) == 3
    assert all(n.text.startswith("b") for n in cause.nearest)


def test_two_causes_in_one_text_are_both_given() -> None:
    both = EMBEDDED.corrected(
        Corrections.of(
            Correction(
                f"fb_{n}", at(1, 1, 0, n / 20), frozenset({"operations/billing", "operations/support"})
            )
            for n in range(4)
        )
    )
    assert found(read(at(1, 1), both)) == {"operations/billing", "operations/support"}


def test_far_from_everything_is_unclear() -> None:
    assert read(at(0, 0, 0, 1)).found == ()


def test_praise_without_a_cause_is_unclear_and_shows_what_came_next() -> None:
    causes = read(at(0.3, 0, 1))
    assert causes.found == ()
    assert [c.category for c in causes.runners_up] == ["billing"]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(-1, 1, width=32), min_size=4, max_size=4).filter(lambda v: np.linalg.norm(v) > 1e-3)
)
def test_confidence_is_a_share_and_the_decision_keeps_its_bounds(parts: list[float]) -> None:
    causes = read(at(*parts))
    assert all(0 <= c.confidence <= 1 for c in (*causes.found, *causes.runners_up))
    assert all(c.confidence >= DECISION.also_at for c in causes.found[1:])
    assert all(c.confidence >= DECISION.unclear_below for c in causes.found[:1])
    assert "other/general" not in found(causes)


def test_as_many_vectors_as_texts() -> None:
    with pytest.raises(ValueError, match="18 texts need"):
        EmbeddedTaxonomy(SMALL, AXES)


def test_a_correction_counts_at_once_and_can_be_taken_back() -> None:
    odd = at(0.6, 0, 0, 1)
    assert found(read(odd)) != {"operations/support"}
    taught = EMBEDDED.corrected(Corrections.of([Correction("fb_1", odd, frozenset({"operations/support"}))]))
    causes = read(odd, taught)
    assert found(causes) == {"operations/support"}
    assert "fb_1" in causes.found[0].nearest[0].text
    erased = taught.corrected(taught.corrections.without("fb_1"))
    assert read(odd, erased) == read(odd)
    assert erased.version == "small@1"


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2), st.lists(st.floats(-1, 1, width=32), min_size=3, max_size=3))
def test_not_this_cause_lowers_it_and_the_corrected_cause_rises(axis: int, rest: list[float]) -> None:
    text = AXES[axis] + 0.3 * at(*rest, 1)
    text = np.asarray(text / np.linalg.norm(text), dtype=np.float32)
    path = SMALL.paths[axis]
    before = EMBEDDED.learnt.scores(text[None], [""])[0, axis]
    denied = EMBEDDED.corrected(Corrections.of([Correction("fb_1", text, wrong=frozenset({path}))]))
    affirmed = EMBEDDED.corrected(Corrections.of([Correction("fb_1", text, frozenset({path}))]))
    assert denied.learnt.scores(text[None], [""])[0, axis] < before
    assert affirmed.learnt.scores(text[None], [""])[0, axis] >= min(before, 1.0) - 1e-6


def test_what_a_person_said_of_a_feedback_is_its_answer() -> None:
    said = Corrections.of(
        [
            Correction("fb_1", AXES[0], frozenset({"operations/support"})),
            Correction("fb_2", AXES[0], frozenset()),
            Correction("fb_3", AXES[0], wrong=frozenset({"operations/billing"})),
            Correction("fb_4", AXES[0], frozenset({"gone/away"})),
            Correction("fb_5", AXES[0], frozenset({"other/general"})),
        ]
    )
    embedded = EMBEDDED.corrected(said)
    told = embedded.told("fb_1")
    assert told is not None
    assert found(told) == {"operations/support"}
    assert embedded.told("fb_2") == embedded.told("fb_5") == Causes()
    assert embedded.told("fb_3") is embedded.told("fb_4") is embedded.told("fb_9") is None


def test_a_correction_of_categories_that_are_gone_teaches_nothing() -> None:
    gone = Corrections.of(
        [
            Correction("fb_1", AXES[0], frozenset({"gone/away"})),
            Correction("fb_2", AXES[1], wrong=frozenset({"gone/away"})),
        ]
    )
    kept = EMBEDDED.corrected(gone)
    query = at(1, 0.2)
    assert np.array_equal(kept.learnt.scores(query[None], [""]), EMBEDDED.learnt.scores(query[None], [""]))


def test_pooling_keeps_unit_length_and_leans_to_the_heavier() -> None:
    found = pooled([AXES[0], AXES[1]], [3.0, 1.0])
    assert np.linalg.norm(found) == pytest.approx(1.0)
    assert found[0] > found[1] > 0
    assert not pooled([AXES[0], -AXES[0]], [1.0, 1.0]).any()


def test_keywords_answer_without_embeddings() -> None:
    keywords = KeywordTaxonomy(SMALL)
    found = keywords.causes([Text.of("Your INVOICES are wrong."), Text.of("I want my money back")])
    assert [c.path for c in found.found] == ["operations/billing"]
    assert found.found[0].confidence == 0.5
    shared = keywords.causes([Text.of("rude, and the invoice is wrong")])
    assert shared.found[0].category == "support"
    assert [c.category for c in shared.runners_up] == ["billing"]
    assert keywords.causes([Text.of("great")]).found == ()
    assert keywords.causes([]).found == ()


def test_the_packaged_taxonomy_has_its_domains_and_enough_examples() -> None:
    assert set(TAXONOMY.domains) == {"operations", "account", "product", "other"}
    assert {f"{d}/{name}" for d, name, c in TAXONOMY.categories if c.cause} == {
        "operations/fulfilment",
        "operations/billing",
        "operations/support",
        "operations/outage",
        "account/pricing",
        "account/contract",
        "account/communication",
        "product/defect",
        "product/usability",
        "product/missing_feature",
        "product/performance",
    }
    assert all(len(c.examples) >= 10 and c.description for _, _, c in TAXONOMY.categories)
    assert len(set(TAXONOMY.examples)) == len(TAXONOMY.examples)
    assert all(c.keywords for _, _, c in TAXONOMY.categories if c.cause)
