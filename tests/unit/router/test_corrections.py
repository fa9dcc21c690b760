"""A person's word over the machine's: what changes, what stays, and what still adds up."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.scored import band_of, score

from heardback_router.corrections.domain import BY_A_PERSON, FACTOR, Word, overlaid
from heardback_router.corrections.quality import Answered, Judged, quality_of
from heardback_shared.contracts.score import Contribution, Score, Severity

PATHS = st.sampled_from(["operations/billing", "product/defect", "account/contract", "operations/delivery"])
MAYBE: st.SearchStrategy[Any] = st.none()
WORDS = st.builds(
    Word,
    right=MAYBE | st.lists(PATHS, unique=True, max_size=3).map(tuple),
    wrong=st.lists(PATHS, unique=True, max_size=3).map(tuple),
    sentiment=MAYBE | st.sampled_from(["negative", "neutral", "positive"]),
    severity=MAYBE | st.integers(0, 100).map(float),
)


def machine(tenths: list[int], cause: str | None) -> Score:
    points = [t / 10 for t in tenths]
    total = round(sum(points), 1)
    severity = Severity(
        score=total,
        band=band_of(total),
        contributions=tuple(
            Contribution(factor=f"f{i}", points=p, because="so") for i, p in enumerate(points)
        ),
        policy="default@1",
    )
    return score(cause=cause).model_copy(update={"severity": severity})


MACHINES = st.builds(machine, st.lists(st.integers(0, 200), min_size=1, max_size=5), MAYBE | PATHS)


@settings(max_examples=300)
@given(MACHINES, WORDS)
def test_the_word_wins_where_it_says_something_and_nothing_else_changes(said: Score, word: Word) -> None:
    after = overlaid(said, word, band_of)
    paths = [cause.path for cause in after.root_causes]
    if word.right is not None:
        assert paths == list(word.right)
        assert {c.confidence for c in after.root_causes} <= {1.0}
        assert {n.text for c in after.root_causes for n in c.nearest} <= {BY_A_PERSON}
        assert after.runners_up == ()
    else:
        assert paths == [c.path for c in said.root_causes if c.path not in word.wrong]
        assert not {c.path for c in after.runners_up} & set(word.wrong)
    if word.sentiment is None:
        assert after.sentiment == said.sentiment
    else:
        assert after.sentiment is not None
        assert after.sentiment.label == word.sentiment
        assert after.sentiment.score == {"negative": -1.0, "neutral": 0.0, "positive": 1.0}[word.sentiment]
    if word.severity is None:
        assert after.severity == said.severity
    untouched = {"root_causes", "runners_up", "sentiment", "severity"}
    assert after.model_dump(exclude=untouched) == said.model_dump(exclude=untouched)


@settings(max_examples=300)
@given(MACHINES, st.integers(0, 100))
def test_contributions_still_add_up_when_a_person_sets_the_severity(said: Score, wanted: int) -> None:
    after = overlaid(said, Word(severity=float(wanted)), band_of).severity
    assert after.score == wanted
    assert sum(round(c.points * 10) for c in after.contributions) == wanted * 10
    assert after.band == band_of(wanted)
    last = after.contributions[-1]
    assert (last.factor, last.because) == (FACTOR, f"A person set it to {wanted}.")
    assert after.contributions[:-1] == said.severity.contributions


@given(MACHINES)
def test_nothing_said_is_the_machines_own_score(said: Score) -> None:
    assert overlaid(said, Word(), band_of) is said


CAUSES = st.lists(PATHS, unique=True, max_size=2).map(tuple)
SILENT = st.builds(Answered, CAUSES, st.sampled_from(["t@1 m@1", "t@2 m@1"]), st.integers(1, 40))
JUDGED = st.builds(
    Judged,
    st.builds(Answered, CAUSES, st.sampled_from(["t@1 m@1", "t@2 m@1"])),
    MAYBE | st.frozensets(PATHS, max_size=2),
    st.frozensets(PATHS, max_size=2),
)


@settings(max_examples=200)
@given(st.lists(SILENT, max_size=6), st.lists(JUDGED, max_size=12))
def test_every_feedback_is_counted_once(silent: list[Answered], judged: list[Judged]) -> None:
    found = quality_of(30, silent, judged)
    whole = found.whole
    assert whole.read == sum(s.count for s in silent) + len(judged)
    assert whole.judged == len(judged)
    assert sum(v.whole.read for v in found.versions) == whole.read
    assert sum(v.whole.disagreed.count for v in found.versions) == whole.disagreed.count
    for one in found.categories:
        assert one.kept + one.corrected_away <= one.answered
        low, high = one.right_of_judged, one.right_if_silence_is_consent
        if low.share is not None:
            assert high.share is not None
            assert low.share <= high.share
        for share in (low, high):
            if share.share is not None:
                assert 0 <= (share.low or 0) <= share.share <= (share.high or 0) <= 1


def test_what_is_told_of_a_small_case() -> None:
    billing, defect = "operations/billing", "product/defect"
    said = Answered((billing,), "t@1 m@1")
    found = quality_of(
        7,
        [Answered((billing,), "t@1 m@1", 6), Answered((), "t@1 m@1", 2)],
        [
            Judged(said, frozenset({defect}), frozenset()),
            Judged(said, frozenset({billing}), frozenset()),
            Judged(Answered((), "t@1 m@1"), frozenset({defect}), frozenset()),
            Judged(said, None, frozenset({billing})),
        ],
    )
    assert (found.whole.read, found.whole.judged) == (12, 4)
    assert (found.whole.disagreed.count, found.whole.unclear.count, found.whole.unclear_resolved) == (3, 3, 1)
    by_path = {one.path: one for one in found.categories}
    one = by_path[billing]
    assert (one.answered, one.kept, one.corrected_away, one.corrected_to) == (9, 1, 2, 0)
    assert (one.right_of_judged.share, one.right_if_silence_is_consent.share) == (1 / 3, 7 / 9)
    assert by_path[defect].corrected_to == 2
