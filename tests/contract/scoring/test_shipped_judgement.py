"""The shipped model and policies together: plain cases come out as anyone would expect."""

from typing import Any

import pytest
from tests.support.clock import NOON

from heardback_scoring.adapters.models import open_model
from heardback_scoring.adapters.policy_files import load_policies
from heardback_scoring.adapters.py3langid_guesser import Py3langidGuesser
from heardback_scoring.app.score_rows import ScoreRow, score_rows
from heardback_scoring.app.understanding import Understanding, understanding_of

STRATEGIC = {"tier": "strategic", "renewal_date": "2026-12-20", "lifetime_value": 120_000}


@pytest.fixture(scope="module")
def shipped() -> Understanding:
    opened = open_model("default", threads=1)
    assert opened.why_degraded is None
    assert opened.satisfaction is not None, (
        "train it again: python -m heardback_scoring.training.satisfaction"
    )
    return understanding_of(
        load_policies(), Py3langidGuesser(), opened.reader, opened.fallback, satisfaction=opened.satisfaction
    )


async def score(by: Understanding, row: dict[str, Any]) -> dict[str, Any]:
    [answer] = await score_rows([(row, ScoreRow.model_validate(row))], by, NOON)
    found: dict[str, Any] = answer["score"]
    return found


@pytest.mark.parametrize(
    ("row", "label", "band"),
    [
        (
            {
                "text": "I am furious, you lost my parcel again. I want to cancel my contract.",
                "customer": STRATEGIC,
            },
            "negative",
            "P1",
        ),
        ({"text": "Absolutely love it, thank you so much!", "customer": STRATEGIC}, "positive", "P4"),
        ({"text": "The delivery was a bit late this time, not great."}, "negative", "P3"),
        ({"text": "The charger caught fire next to my bed."}, None, "P1"),
        ({"text": "n/a"}, "neutral", "P4"),
        ({"text": "fine I guess"}, None, "P4"),
        ({"text": "👍"}, "positive", "P4"),
        ({"text": "Can you tell me when my order will arrive?"}, None, "P4"),
    ],
)
async def test_plain_cases(shipped: Understanding, row: dict[str, Any], label: str | None, band: str) -> None:
    found = await score(shipped, row)
    assert (found["status"], found["severity"]["band"]) == ("scored", band)
    assert label is None or found["sentiment"]["label"] == label


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("The parcel has not arrived and the courier does not answer.", "operations/fulfilment"),
        ("I was charged twice on my credit card this month.", "operations/billing"),
        ("The app crashes every time I tap on checkout.", "product/defect"),
        ("Please add a dark mode to the app.", "product/missing_feature"),
        ("Far too expensive compared with other shops.", "account/pricing"),
        ("The whole platform is down for everybody in our office.", "operations/outage"),
    ],
)
async def test_plain_causes(shipped: Understanding, text: str, path: str) -> None:
    causes = (await score(shipped, {"text": text}))["root_causes"]
    assert path in {f"{c['domain']}/{c['category']}" for c in causes}
    assert causes[0]["nearest"]


async def test_praise_has_no_cause(shipped: Understanding) -> None:
    assert (await score(shipped, {"text": "Great company, I can only recommend it."}))["root_causes"] == []


async def test_a_conversation_that_recovers(shipped: Understanding) -> None:
    turns = [
        {"role": "customer", "text": "My internet has been down since yesterday, this is unacceptable."},
        {"role": "agent", "text": "I am sorry. I have reset the line, does it work now?"},
        {"role": "customer", "text": "Yes, it works again. Thank you so much for the quick help!"},
    ]
    found = await score(shipped, {"turns": turns})
    assert found["trajectory"]["start"] < 0 < found["trajectory"]["end"]
    assert found["trajectory"]["recovery"] > 0.5
    assert not found["handover"]["now"]
    assert found["satisfaction"] > 0


async def test_german_is_not_guessed(shipped: Understanding) -> None:
    found = await score(shipped, {"text": "Seit drei Wochen warte ich auf meine Rückzahlung."})
    assert (found["status"], found["sentiment"], found["language"]["code"]) == ("unscored", None, "de")
    assert found["handover"]["now"]


RIGHT = {"role": "customer", "text": "The router drops the line every evening, this is really annoying."}
ANSWER = {"role": "agent", "text": "Please hold the reset button for ten seconds and try again."}


async def satisfaction(by: Understanding, *turns: dict[str, str]) -> float:
    found = await score(by, {"turns": list(turns)})
    assert "satisfaction" in {m["name"] for m in found["models"]}
    if any(turn["role"] == "agent" for turn in turns):
        low, high = found["satisfaction_interval"]
        assert low <= found["satisfaction"] <= high
    else:
        assert found["satisfaction_interval"] is None
    value: float = found["satisfaction"]
    return value


@pytest.mark.parametrize("opening", [(), (RIGHT,), (RIGHT, ANSWER), (RIGHT, ANSWER) * 100])
async def test_thanks_at_the_end_satisfy_more_than_a_complaint(
    shipped: Understanding, opening: tuple[dict[str, str], ...]
) -> None:
    thanks = {"role": "customer", "text": "Thank you so much, it works perfectly now!"}
    complaint = {"role": "customer", "text": "That is useless, it still does not work and nobody helps me."}
    content = await satisfaction(shipped, *opening, thanks)
    angry = await satisfaction(shipped, *opening, complaint)
    assert content > angry
    assert angry < 0


async def test_nobody_answered_and_nobody_is_pleased(shipped: Understanding) -> None:
    again = {"role": "customer", "text": "Hello? Is nobody there? I have been waiting for days."}
    assert await satisfaction(shipped, RIGHT, again) < 0
    assert await satisfaction(shipped, RIGHT) < 0


async def test_a_complaint_is_explained_by_its_own_words(shipped: Understanding) -> None:
    row = {"text": "The shop is near the station. The driver was horrible. I ordered on Monday."}
    [answer] = await score_rows([(row, ScoreRow.model_validate(row))], shipped, NOON, "all")
    found = [e for e in answer["score"]["evidence"] if e["label"] == "negative"]
    assert found
    assert "horrible" in row["text"][slice(*found[0]["span"])]
