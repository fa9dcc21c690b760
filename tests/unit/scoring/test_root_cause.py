"""Root causes: nearest examples, honest confidence, unclear when nothing stands out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.support.scoring import POLICIES

from heardback_scoring.domain.root_cause import (
    EmbeddedTaxonomy,
    KeywordTaxonomy,
    nearest_causes,
    pooled,
)
from heardback_scoring.domain.taxonomy import Category, Decision, Taxonomy
from heardback_scoring.domain.words import Text

TAXONOMY = POLICIES.taxonomy
DECISION = Decision(
    nearest=2,
    none_at=0.2,
    full_at=0.6,
    temperature=0.05,
    unclear_below=0.25,
    second_within=0.03,
    runners_up=1,
    keyword_confidence=0.5,
)
SMALL = Taxonomy(
    policy="small@1",
    decision=DECISION,
    domains={
        "operations": {
            "billing": Category(
                description="b", examples=("b1", "b2", "b3"), keywords=("invoice*", "money back")
            ),
            "support": Category(description="s", examples=("s1", "s2", "s3"), keywords=("rude", "invoice")),
        },
        "other": {
            "general": Category(
                description="g", examples=("g1", "g2", "g3"), cause=False, keywords=("great",)
            )
        },
    },
)
# One axis per category, and one that none of them uses.
AXES = np.eye(4, dtype=np.float32)
EMBEDDED = EmbeddedTaxonomy(SMALL, np.repeat(AXES[:3], 3, axis=0))


def at(*parts: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    vector = np.array(parts, dtype=np.float32)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def test_the_nearest_category_wins_with_its_nearest_examples() -> None:
    [causes] = nearest_causes(at(1, 0, 0, 0)[None], EMBEDDED)
    [found] = causes.found
    assert found.path == "operations/billing"
    assert found.confidence == pytest.approx(1.0, abs=0.01)
    assert [n.text for n in found.nearest] == ["b1", "b2", "b3"]
    assert found.nearest[0].similarity == pytest.approx(1.0)


def test_two_that_stand_out_are_both_given() -> None:
    [causes] = nearest_causes(at(1, 1, 0, 0)[None], EMBEDDED)
    assert {c.category for c in causes.found} == {"billing", "support"}
    assert all(c.confidence == pytest.approx(0.5, abs=0.01) for c in causes.found)


def test_far_from_everything_is_unclear() -> None:
    [causes] = nearest_causes(at(0.1, 0, 0, 1)[None], EMBEDDED)
    assert causes.found == ()
    assert causes.runners_up == ()


def test_praise_without_a_cause_is_unclear_and_shows_what_came_next() -> None:
    [causes] = nearest_causes(at(0.4, 0, 1, 0)[None], EMBEDDED)
    assert causes.found == ()
    assert [c.category for c in causes.runners_up] == ["billing"]


@given(
    st.lists(st.floats(-1, 1, width=32), min_size=4, max_size=4).filter(lambda v: np.linalg.norm(v) > 1e-3)
)
def test_confidence_is_a_share_and_rows_do_not_depend_on_each_other(parts: list[float]) -> None:
    alone = nearest_causes(at(*parts)[None], EMBEDDED)[0]
    beside = nearest_causes(np.stack([AXES[1], at(*parts)]), EMBEDDED)[1]
    assert alone == beside
    for cause in (*alone.found, *alone.runners_up):
        assert 0 <= cause.confidence <= 1
    assert all(c.confidence >= DECISION.unclear_below for c in alone.found[:1])


def test_as_many_vectors_as_examples() -> None:
    with pytest.raises(ValueError, match="9 examples need"):
        EmbeddedTaxonomy(SMALL, AXES)
    with pytest.raises(ValidationError, match="full_at must be above"):
        Decision.model_validate({**DECISION.model_dump(), "full_at": 0.1})


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
    assert all(8 <= len(c.examples) <= 15 for _, _, c in TAXONOMY.categories)
    assert len(set(TAXONOMY.examples)) == len(TAXONOMY.examples)
    assert all(c.keywords for _, _, c in TAXONOMY.categories if c.cause)
