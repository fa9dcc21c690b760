"""What may follow what, and who may do it."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.router_campaigns.campaigns import AT, change

from heardback_router.campaigns import domain
from heardback_router.campaigns.domain import Campaign, CampaignError, ForbiddenError, reviewed

OPEN = {"second_person": False, "because": []}
CLOSED = {"second_person": True, "because": ["it_a is about legal"]}


def draft() -> Campaign:
    return Campaign("ca_1", "Seats", {"items": ["it_a"]}, ("it_a",), ("ch_1",), "ana", AT)


def submitted() -> Campaign:
    return domain.submitted(draft(), "bo", AT)


DEEDS: dict[str, Any] = {
    "submit": lambda c, at: domain.submitted(c, "bo", at),
    "return": lambda c, _: domain.returned(c),
    "approve": lambda c, at: domain.approved(c, "cy", at, CLOSED, 3),
    "pause": domain.paused,
    "resume": domain.resumed,
    "cancel": domain.cancelled,
    "finish": domain.finished,
}
ALLOWED = {
    ("draft", "submit"): "submitted",
    ("draft", "cancel"): "cancelled",
    ("submitted", "return"): "draft",
    ("submitted", "approve"): "sending",
    ("submitted", "cancel"): "cancelled",
    ("sending", "pause"): "paused",
    ("sending", "cancel"): "cancelled",
    ("sending", "finish"): "done",
    ("paused", "resume"): "sending",
    ("paused", "cancel"): "cancelled",
}


@given(st.lists(st.tuples(st.sampled_from(sorted(DEEDS)), st.integers(0, 1_000)), max_size=20))
def test_only_what_is_allowed_happens_and_standing_still_is_not_sending(deeds: list[tuple[str, int]]) -> None:
    campaign, at = draft(), AT
    sending = timedelta()
    for deed, minutes in deeds:
        passed = timedelta(minutes=minutes)
        at += passed
        sending += passed if campaign.state == "sending" else timedelta()
        wanted = ALLOWED.get((campaign.state, deed))
        if wanted is None:
            with pytest.raises(CampaignError):
                DEEDS[deed](campaign, at)
            continue
        after = DEEDS[deed](campaign, at)
        assert (after.state, after.version) == (wanted, campaign.version + 1)
        campaign = after
    if campaign.state == "cancelled" and campaign.approved_at is None:
        sending = timedelta()
    assert campaign.sending_time(at) == sending


def test_who_made_or_submitted_it_does_not_approve_where_a_second_person_is_needed() -> None:
    for by in ("ana", "bo"):
        with pytest.raises(ForbiddenError, match="it_a is about legal"):
            domain.approved(submitted(), by, AT, CLOSED, 3)
    assert domain.approved(submitted(), "cy", AT, CLOSED, 3).state == "sending"
    assert domain.approved(submitted(), "ana", AT, OPEN, 3).state == "sending"


def test_with_nobody_to_tell_it_is_done_at_once() -> None:
    after = domain.approved(submitted(), "cy", AT, OPEN, 0)
    assert (after.state, after.ended_at) == ("done", AT)


def test_a_change_is_reviewed_once_and_by_somebody_else() -> None:
    fresh = change(reviewed_by=None)
    with pytest.raises(ForbiddenError):
        reviewed(fresh, "ana", AT)
    done = reviewed(fresh, "bo", AT)
    assert (done.reviewed_by, done.reviewed_at) == ("bo", AT)
    with pytest.raises(CampaignError):
        reviewed(done, "cy", AT)
