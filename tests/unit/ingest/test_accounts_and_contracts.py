"""Where a customer belongs and what was agreed, at a moment."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import NOON

from heardback_ingest.domain.accounts import Membership, account_at, lineage, makes_a_circle
from heardback_ingest.domain.classes_policy import read_classes
from heardback_ingest.domain.handling import ContractVersion, in_force, missing
from heardback_ingest.domain.likeness import normal_email, normal_phone
from heardback_shared.policies.reading import shipped


def days(count: int) -> datetime:
    return NOON + timedelta(days=count)


def contract(version: int, begins: int, ends: int | None = None, number: str = "C-7") -> ContractVersion:
    until = None if ends is None else days(ends)
    return ContractVersion(number, version, days(begins), until, {}, "ann", NOON)


def test_a_customer_belongs_to_one_account_at_a_time() -> None:
    log = [Membership("c", days(10), None), Membership("c", days(0), "acme"), Membership("c", days(5), "sub")]
    assert [account_at(log, days(n)) for n in (-1, 0, 4, 5, 9, 10)] == [
        None,
        "acme",
        "acme",
        "sub",
        "sub",
        None,
    ]


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")), max_size=30))
def test_a_tree_whose_circles_are_refused_stays_a_tree(wishes: list[tuple[str, str]]) -> None:
    parents: dict[str, str | None] = dict.fromkeys("abcdef")
    for account, parent in wishes:
        if not makes_a_circle(account, parent, parents):
            parents[account] = parent
    for account in parents:
        top = lineage(account, parents)[-1]
        assert parents[top] is None


def test_what_was_opened_before_an_amendment_keeps_the_version_before() -> None:
    versions = [contract(1, 0), contract(2, 30), contract(3, 60, 70)]
    names = [
        found.name if found else None
        for found in (in_force(versions, days(n)) for n in (-1, 0, 29, 30, 65, 70))
    ]
    assert names == [None, "C-7@1", "C-7@1", "C-7@2", "C-7@3", "C-7@2"]


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(1, 30)), max_size=6), st.integers(-5, 90), st.randoms()
)
def test_the_version_in_force_covers_the_moment_and_no_order_matters(
    spans: list[tuple[int, int]], at: int, random: object
) -> None:
    versions = [contract(n, begins, begins + length) for n, (begins, length) in enumerate(spans, 1)]
    found = in_force(versions, days(at))
    assert found == in_force(versions[::-1], days(at))
    assert (found is None) == (not any(v.covers(days(at)) for v in versions))
    assert found is None or found.covers(days(at))


def test_what_is_required_depends_on_the_tier() -> None:
    policy = read_classes(shipped("heardback_ingest", "classes.yaml"))
    assert missing(policy, "key", {"owner", "language", "handling_notes"}) == ("escalation_path",)
    assert missing(policy, "standard", set()) == ()
    assert missing(policy, None, set()) == ()


def test_addresses_are_compared_in_one_spelling() -> None:
    assert normal_email(" Ada@Example.COM ") == "ada@example.com"
    assert normal_email("ada") is None
    assert normal_email("ada@localhost") is None
    assert normal_phone("+49 (0)30 901820") == normal_phone("+49 30/901820") == "+4930901820"
    assert normal_phone("030 901820") is None
