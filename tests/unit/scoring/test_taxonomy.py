"""Taxonomies: what is wrong is named with its field and its mend; a check tells what examples are read as."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from heardback_scoring.domain.root_cause import EmbeddedTaxonomy
from heardback_scoring.domain.taxonomy import Taxonomy
from heardback_scoring.domain.taxonomy_check import Relabelled, check, moves, relabelled

DECISION = {"unclear_below": 0.2, "also_at": 0.3, "most": 2, "runners_up": 2, "keyword_confidence": 0.5}
GOOD = {"description": "Anything.", "examples": ["one example"]}


def taxonomy(**categories: Any) -> Taxonomy:
    return Taxonomy.model_validate(
        {"policy": "mine@1", "decision": DECISION, "domains": {"operations": categories}}
    )


def test_a_description_stands_in_for_examples() -> None:
    found = taxonomy(billing=GOOD, support={"examples": ["a", "b", "c"]})
    assert found.paths == ("operations/billing", "operations/support")
    assert found.texts == ("one example", "a", "b", "c", "Anything.")
    assert found.descriptions == (("operations/billing", "Anything."),)


@pytest.mark.parametrize(
    ("categories", "field", "mend"),
    [
        ({"a": GOOD, "b": {"examples": ["x", "y"]}}, "b", "write a sentence of description"),
        ({"a": GOOD, "b": {**GOOD, "examples": []}}, "b.examples", "at least 1"),
        ({"a": GOOD, "b": {**GOOD, "examples": ["x", " ? "]}}, "b.examples", "example 2 holds no word"),
        ({"a": GOOD, "b": {**GOOD, "examples": ["x"] * 2001}}, "b.examples", "at most 2000"),
        ({"a": GOOD, "b": {**GOOD, "description": "x" * 301}}, "b.description", "at most 300"),
        ({"a": GOOD, "Late delivery": GOOD}, "", "use small letters"),
        ({"a": GOOD}, "", "give 2 to 300"),
        ({}, "", "give it one or leave the domain out"),
    ],
)
def test_what_is_wrong_is_named(categories: dict[str, Any], field: str, mend: str) -> None:
    with pytest.raises(ValidationError) as refused:
        taxonomy(**categories)
    [error] = refused.value.errors()
    where = ".".join(str(part) for part in error["loc"] if not isinstance(part, int))
    assert where == ".".join(filter(None, ("domains", f"operations.{field}" if field else "")))
    assert mend in error["msg"]


def test_a_further_cause_needs_as_much_as_the_first() -> None:
    with pytest.raises(ValidationError, match="also_at must not be below"):
        Taxonomy.model_validate(
            {
                "policy": "mine@1",
                "decision": {**DECISION, "also_at": 0.1},
                "domains": {"o": {"a": GOOD, "b": GOOD}},
            }
        )


def test_a_check_names_what_is_confused_and_by_which_examples() -> None:
    axes = np.eye(6, dtype=np.float32)

    def near(axis: int, other: int) -> np.ndarray[Any, np.dtype[np.float32]]:
        vector = axes[axis] + 0.3 * axes[other]
        return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)

    found = taxonomy(
        billing={"examples": ["bill one", "bill two", "bill three", "parcel of bills"]},
        fulfilment={"examples": ["parcel one", "parcel two", "parcel three"]},
    )
    vectors = [*(near(0, n) for n in (2, 3, 4)), near(1, 5), *(near(1, n) for n in (2, 3, 4))]
    result = check(EmbeddedTaxonomy(found, np.stack(vectors)))
    assert result.version == "mine@1"
    assert [(c.path, c.examples, c.right) for c in result.categories] == [
        ("operations/billing", 4, 3),
        ("operations/fulfilment", 3, 3),
    ]
    assert result.right == pytest.approx(6 / 7)
    [confusion] = result.confusions
    assert (confusion.path, confusion.taken_for) == ("operations/billing", "operations/fulfilment")
    assert confusion.examples == ("parcel of bills",)
    assert result.near_duplicates[0].similarity == pytest.approx(1 / 1.09, abs=1e-3)
    assert {result.near_duplicates[0].text, result.near_duplicates[0].other_text} == {
        "parcel of bills",
        "parcel one",
    }


def test_only_other_sets_of_causes_are_changes() -> None:
    before = [("a/b", "a/c"), ("a/b",), ()]
    after = [("a/c", "a/b"), (), ()]
    assert relabelled(before, after) == (Relabelled(1, ("a/b",), ()),)


def test_moves_are_counted_whatever_the_order_of_the_causes() -> None:
    changed = (
        Relabelled(0, ("a/b",), ()),
        Relabelled(3, ("a/b", "a/c"), ("d/e",)),
        Relabelled(5, ("a/c", "a/b"), ("d/e",)),
    )
    assert moves(changed) == ((("a/b", "a/c"), ("d/e",), 2), (("a/b",), (), 1))
    assert moves(()) == ()
