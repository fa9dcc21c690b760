"""plan_batches: nothing lost, nothing over budget, little padding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heardback_scoring.inference.batching import plan_batches

lengths_of_texts = st.lists(st.integers(min_value=1, max_value=256), max_size=200)
budgets = st.integers(min_value=1, max_value=2048)


@given(lengths_of_texts, budgets)
def test_every_text_is_in_exactly_one_batch(lengths: list[int], budget: int) -> None:
    planned = [index for batch in plan_batches(lengths, budget) for index in batch]
    assert sorted(planned) == list(range(len(lengths)))


@given(lengths_of_texts, budgets)
def test_no_batch_costs_more_than_the_budget_unless_one_text_does(lengths: list[int], budget: int) -> None:
    for batch in plan_batches(lengths, budget):
        cost = len(batch) * max(lengths[index] for index in batch)
        assert cost <= budget or len(batch) == 1


@given(lengths_of_texts, budgets)
def test_the_first_text_of_a_batch_is_its_longest(lengths: list[int], budget: int) -> None:
    for batch in plan_batches(lengths, budget):
        assert lengths[batch[0]] == max(lengths[index] for index in batch)


def test_padding_is_small_on_texts_of_mixed_length() -> None:
    lengths = [5, 60] * 100 + list(range(1, 101))
    batches = plan_batches(lengths, 512)
    cost = sum(len(batch) * lengths[batch[0]] for batch in batches)
    assert cost <= 1.1 * sum(lengths)


def test_a_budget_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="budget"):
        plan_batches([1], 0)
