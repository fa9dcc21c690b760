"""A customer whose case is several items hears once: when the last of them is resolved."""

from datetime import timedelta

from tests.support.clock import NOON

from heardback_router.backlog.domain import LinkedCustomer, Resolution
from heardback_router.grouping.telling import Mate, told_once
from heardback_router.wording import CustomerText

BEFORE = NOON - timedelta(hours=1)


def resolution(tell: str | None = "It is solved.", *customers: str | None) -> Resolution:
    linked = tuple(LinkedCustomer(c, (f"fb_{c}",), "email") for c in customers or ("c-1",))
    because = None if tell else "nothing to say"
    return Resolution("it_2", "t", 1, "a", "b", CustomerText(tell) if tell else None, because, linked, "ana")


def mate(unresolved: bool, tell: str | None = "Earlier words.") -> Mate:
    return Mate("it_1", unresolved, {"c-1": ("fb_early",)}, None if unresolved else tell, BEFORE)


def test_whose_case_has_another_unresolved_item_is_not_told_yet() -> None:
    (part,) = told_once(resolution(), "cs_1", [mate(True)], {})
    assert part.tell_customer is None
    assert part.not_telling_because == "case cs_1 of this customer is not resolved as a whole yet: it_1"


def test_others_behind_the_item_are_told_at_once() -> None:
    parts = told_once(resolution("It is solved.", "c-1", "c-2", None), "cs_1", [mate(True)], {})
    told = {stake.customer_id: part.tell_customer for part in parts for stake in part.linked}
    assert told == {"c-1": None, "c-2": CustomerText("It is solved."), None: CustomerText("It is solved.")}


def test_the_last_one_tells_about_all_of_them_at_once() -> None:
    (part,) = told_once(resolution(), "cs_1", [mate(False)], {})
    assert part.tell_customer == CustomerText("It is solved.")
    assert part.linked[0].feedback_ids == ("fb_c-1", "fb_early")


def test_words_that_were_kept_back_are_not_lost_when_the_last_one_has_none() -> None:
    (part,) = told_once(resolution(None), "cs_1", [mate(False)], {})
    assert (part.tell_customer, part.not_telling_because) == (CustomerText("Earlier words."), None)


def test_what_a_customer_was_told_already_is_not_told_again() -> None:
    (part,) = told_once(resolution(None), "cs_1", [mate(False)], {"c-1": NOON})
    assert part.tell_customer is None
    assert part.linked[0].feedback_ids == ("fb_c-1",)
