"""Counterfactuals and behavioural tests: their data, and that a model that fails them is seen to fail."""

import re

import pytest
from pydantic import ValidationError
from tests.support.evaluation import said, subject_saying

from heardback_scoring.evaluation import behaviour, bias
from heardback_scoring.evaluation.behaviour import Case, Test, cases_of, load_behaviours
from heardback_scoring.evaluation.bias import Axis, load_counterfactuals
from heardback_scoring.inference.ports import TextReading


def test_the_counterfactuals_are_many_and_differ_only_in_the_group() -> None:
    data = load_counterfactuals()
    assert sum(len(axis.texts) for axis in data.axis) >= 60
    assert {axis.name for axis in data.axis} == {"names", "gender", "religion", "nationality", "dialect"}
    for axis in data.axis:
        for texts in axis.texts:
            flat = [text for own in texts.values() for text in own]
            assert not any("{" in text for text in flat)
            own = [set(texts_of_group) for texts_of_group in texts.values()]
            assert len(set.union(*own)) == sum(len(one) for one in own), f"groups share a text: {flat[0]}"


def test_an_axis_that_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ValidationError, match="two groups"):
        Axis(name="x", templates=("{name}",), groups={"a": ("A",)})
    with pytest.raises(ValidationError, match="same groups"):
        Axis(name="x", forms=({"a": "1", "b": "2"}, {"a": "1"}))
    with pytest.raises(ValidationError, match="either templates or forms"):
        Axis(name="x")


async def test_a_fair_model_does_not_shift_and_an_unfair_one_is_caught() -> None:
    data = load_counterfactuals()
    names = next(axis for axis in data.axis if axis.name == "names")
    only_names = data.model_copy(update={"axis": (names,)})
    async with subject_saying(lambda text: said(0.2, 0.2)) as fair:
        even = bias.bounded(await bias.measure_bias(fair, only_names), data.bounds)
    assert [one.value for one in even if one.name == "names sentiment"] == [0, 0]

    def unfair(text: str) -> TextReading:
        return said(0.5, 0.2) if re.search("Darnell|Keisha|Tyrone|Latoya", text) else said(0.2, 0.2)

    async with subject_saying(unfair) as subject:
        shifts = await bias.measure_bias(subject, only_names)
    found = {(one.name, one.figure): one for one in bias.bounded(shifts, data.bounds)}
    # Four of eight names of one group score 0.15 lower on the scale of 0…1.
    assert found["names sentiment", "mean shift"].value == pytest.approx(0.075)
    assert found["names sentiment", "pair shift"].value == pytest.approx(0.15)
    assert not found["names sentiment", "pair shift"].holds
    assert found["names sentiment", "mean shift"].worst[0].startswith("african_american")
    measures = {(m.figure, m.slice): m.statistic for m in bias.bias_measures(shifts)}
    assert ("sentiment_mean_shift", "names") in measures


def test_every_capability_has_cases_without_open_slots() -> None:
    data = load_behaviours()
    assert len({capability.name for capability in data.capability}) == len(data.capability) >= 9
    for capability in data.capability:
        cases = cases_of(capability, data.fills)
        assert len(cases) >= 8
        assert not any("{" in text for case in cases for text in case.texts)
        assert len({case.texts for case in cases}) == len(cases), capability.name


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "label", "templates": ["x"]},
        {"kind": "label", "expect": ["negative"]},
        {"kind": "same", "templates": ["x"]},
        {"kind": "same", "pairs": [["a", "b"]], "expect": ["neutral"]},
    ],
)
def test_a_test_that_cannot_fail_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="a test of kind"):
        Test.model_validate(wrong)


@pytest.mark.parametrize(
    ("test", "texts", "fails"),
    [
        (Test(kind="label", expect=("negative",), templates=("x",)), ("This is bad",), False),
        (Test(kind="label", expect=("negative",), templates=("x",)), ("This is good",), True),
        (Test(kind="same", tolerance=0.1, pairs=(("x", "y"),)), ("This is bad", "That is bad"), False),
        (Test(kind="same", tolerance=2, pairs=(("x", "y"),)), ("This is bad", "This is good"), True),
        (Test(kind="lower", margin=0.1, pairs=(("x", "y"),)), ("This is good", "This is bad"), False),
        (Test(kind="lower", margin=0.1, pairs=(("x", "y"),)), ("This is bad", "This is good"), True),
        (Test(kind="lower", margin=0.1, pairs=(("x", "y"),)), ("This is bad", "That is bad"), True),
        (Test(kind="higher", tolerance=0.02, pairs=(("x", "y"),)), ("This is bad", "That is bad"), False),
        (Test(kind="higher", pairs=(("x", "y"),)), ("This is good", "This is bad"), True),
        (
            Test(kind="same", pairs=(("x", "y"),)),
            ("customer: This is bad\nagent: So good", "customer: This is bad\nagent: So bad"),
            False,
        ),
    ],
)
async def test_cases(test: Test, texts: tuple[str, ...], fails: bool) -> None:
    def feel(text: str) -> TextReading:
        return said(0.05, 0.9) if "good" in text else said(0.9, 0.05)

    capability = behaviour.Capability(name="x", bound=0, test=())
    case = Case(test, texts)
    async with subject_saying(feel) as subject:
        scores = await subject.scores([behaviour.row_of(text) for text in texts])
    assert case.fails([score.sentiment for score in scores]) is fails
    assert behaviour.Outcome(capability, (case, case), (True, False)).rate == 0.5
