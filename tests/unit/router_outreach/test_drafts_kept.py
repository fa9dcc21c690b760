"""A draft comes back from where it is kept exactly as it was handed in; so do a decision's facts."""

from datetime import date, datetime, timedelta, timezone
from typing import get_args

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heardback_router.messages.domain import ChangeFacts, MessageFacts, Result, Sensitivity, Step
from heardback_router.outreach import basis, codec
from heardback_router.outreach.domain import Draft
from heardback_router.wording import CustomerText
from heardback_shared.contact.domain import Ask, Channel, Digest, Purpose, QuietHours, Recipient, Touch

PLAIN = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)
IDS = st.text("abcdefghij234567_", min_size=1, max_size=30)
TEXTS = PLAIN.filter(lambda t: bool(t.strip())).map(CustomerText)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=ZONES)
DAYS = st.dates(date(2020, 1, 1), date(2040, 1, 1))
CHANGES = st.builds(
    ChangeFacts,
    st.sampled_from(get_args(Result)),
    TEXTS,
    DAYS,
    IDS,
    st.none() | PLAIN,
    st.booleans(),
    st.lists(st.tuples(st.sampled_from(["de", "fr"]), TEXTS), max_size=2).map(tuple),
)
FACTS = st.builds(
    MessageFacts,
    about=st.none() | PLAIN,
    raised_on=st.none() | DAYS,
    changes=st.lists(CHANGES, max_size=2).map(tuple),
    plan=st.none() | TEXTS,
    answer=st.none() | TEXTS,
    due=st.none() | INSTANTS,
    automated=st.booleans(),
)
DRAFTS = st.builds(
    Draft,
    IDS,
    PLAIN,
    st.sampled_from(get_args(Step)),
    FACTS,
    item_ids=st.lists(IDS, max_size=3).map(tuple),
    loop_ids=st.lists(IDS, max_size=3).map(tuple),
    feedback_ids=st.lists(IDS, max_size=3).map(tuple),
    purpose=st.sampled_from(get_args(Purpose)),
    sensitivity=st.sampled_from(get_args(Sensitivity)),
    critical=st.booleans(),
    automatic=st.booleans(),
    campaign_id=st.none() | IDS,
    not_before=st.none() | INSTANTS,
    expires_at=st.none() | INSTANTS,
)
CHANNELS = st.sampled_from(get_args(Channel))
RECIPIENTS = st.builds(
    Recipient,
    PLAIN,
    IDS,
    st.lists(CHANNELS, unique=True).map(tuple),
    time_zone=st.none() | st.sampled_from(["Europe/Berlin", "Asia/Tokyo"]),
    quiet=st.none() | st.builds(QuietHours, st.times(), st.times()),
    digest=st.sampled_from(get_args(Digest)),
    refused=st.frozensets(st.sampled_from(get_args(Purpose))),
    refused_items=st.frozensets(IDS, max_size=3),
    held_because=st.none() | PLAIN,
    inferred=st.frozensets(st.sampled_from(["channels", "language"])),
)


@given(DRAFTS)
def test_a_draft_survives_json(draft: Draft) -> None:
    kept = orjson.loads(orjson.dumps(codec.to_plain(draft)))
    again = codec.from_plain(kept)
    assert again == draft
    assert codec.to_plain(again) == kept


def test_every_field_of_a_draft_is_kept() -> None:
    kept = codec.to_plain(Draft("me_1", "c-1", "told", MessageFacts(changes=(_change(),))))
    assert set(kept) == {*Draft.__dataclass_fields__, "version"}
    assert set(kept["facts"]) == set(MessageFacts.__dataclass_fields__)
    assert set(kept["facts"]["changes"][0]) == set(ChangeFacts.__dataclass_fields__)


def test_what_a_newer_release_wrote_is_not_guessed_at() -> None:
    kept = codec.to_plain(Draft("me_1", "c-1", "told", MessageFacts()))
    with pytest.raises(codec.UnreadableDraftError, match="version 2"):
        codec.from_plain({**kept, "version": 2})
    with pytest.raises(codec.UnreadableDraftError):
        codec.from_plain({"version": 1, "id": "me_1"})
    with pytest.raises(codec.UnreadableDraftError):
        codec.from_plain({**kept, "facts": {**kept["facts"], "plan": " "}})


@given(
    RECIPIENTS,
    st.builds(Ask, st.sampled_from(get_args(Purpose)), st.none() | IDS, st.booleans(), st.booleans()),
    st.lists(st.tuples(IDS, CHANNELS, st.booleans(), INSTANTS), max_size=4),
    st.none() | PLAIN,
    INSTANTS,
)
def test_what_a_verdict_was_given_from_survives_json(
    recipient: Recipient,
    ask: Ask,
    raw: list[tuple[str, Channel, bool, datetime]],
    stopped: str | None,
    at: datetime,
) -> None:
    touches = [Touch(i, recipient.person_id, "case_updates", c, a, t) for i, c, a, t in raw]
    kept = orjson.loads(orjson.dumps(basis.to_plain(recipient, ask, touches, "default@1", stopped, at)))
    assert basis.from_plain(kept) == (recipient, ask, touches, stopped, at)


def _change() -> ChangeFacts:
    return ChangeFacts("done", CustomerText("It is done."), date(2026, 11, 21), "ch_1")
