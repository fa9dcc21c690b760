"""Facts about a customer: which telling counts, for how long, and what of it rides on events."""

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import NOON

from heardback_ingest.domain.customer import (
    PROVENANCES,
    Ages,
    Facts,
    current,
    merged,
    snapshot_fields,
    tellings_of,
    usable,
)
from heardback_shared.contact.domain import Provenance

AGES = Ages({"tier": 400, "lifetime_value": 400, "language": 730}, frozenset({"renewal_date"}))
NEVER = Ages()


def test_newer_beats_older_fact_by_fact() -> None:
    known = merged({}, {"tier": "key", "region": "EU"}, "crm", NOON)
    older = merged(known, {"tier": "standard", "owner": "ann"}, "billing", NOON - timedelta(days=1))
    assert older["tier"] == {
        "value": "key",
        "source": "crm",
        "at": NOON.isoformat(),
        "provenance": "stated",
    }
    assert older["owner"]["source"] == "billing"
    newer = merged(older, {"tier": None}, "billing", NOON + timedelta(days=1))
    assert newer["tier"]["value"] is None
    assert newer["region"]["value"] == "EU"


def test_what_was_said_beats_what_was_seen_and_that_a_guess_until_it_is_outdated() -> None:
    facts = merged({}, {"language": "de"}, "form", NOON, "stated")
    facts = merged(facts, {"language": "fr"}, "model", NOON + timedelta(days=700), "inferred")
    facts = merged(facts, {"language": "en"}, "chat", NOON + timedelta(days=1), "observed")
    assert [t["value"] for t in tellings_of(facts["language"])] == ["de", "en", "fr"]
    for days, expected in ((0, "de"), (729, "de"), (731, "en"), (800, "fr"), (1_500, None)):
        telling = current("language", facts["language"], AGES, NOON + timedelta(days=days))
        assert (telling and telling["value"]) == expected


def test_an_outdated_field_is_left_out_and_named_and_a_guess_is_named() -> None:
    told = {"tier": "key", "lifetime_value": 5.0, "renewal_date": "2026-12-20", "region": "EU"}
    facts = merged({}, told, "crm", NOON)
    facts = merged(facts, {"segment": "smb"}, "model", NOON, "inferred")
    fresh = snapshot_fields(facts, AGES, NOON)
    assert (fresh["tier"], fresh["inferred"], fresh["profile_at"]) == ("key", ("segment",), NOON)
    assert "stale" not in fresh
    later = snapshot_fields(facts, AGES, NOON + timedelta(days=401))
    assert later == {
        "segment": "smb",
        "region": "EU",
        "inferred": ("segment",),
        "stale": ("tier", "lifetime_value", "renewal_date"),
    }


def test_a_renewal_date_counts_until_its_day_is_over_however_old_the_telling() -> None:
    facts = merged({}, {"renewal_date": "2026-12-20"}, "crm", NOON - timedelta(days=3_000))
    on_the_day = NOON.replace(month=12, day=20, hour=23)
    assert "renewal_date" in snapshot_fields(facts, AGES, on_the_day)
    assert snapshot_fields(facts, AGES, on_the_day + timedelta(hours=1))["stale"] == ("renewal_date",)


def test_the_snapshot_names_nobody() -> None:
    facts = merged({}, {"tier": "key", "name": "Ada", "email": "a@b.example", "owner": None}, "crm", NOON)
    assert snapshot_fields(facts, NEVER, NOON) == {"tier": "key", "profile_at": NOON}


def test_a_profile_is_as_fresh_as_the_last_telling_of_what_is_at_stake() -> None:
    old = merged({}, {"tier": "key", "renewal_date": None}, "crm", NOON)
    later = NOON + timedelta(days=9)

    def profile_at(facts: Facts) -> Any:
        return snapshot_fields(facts, AGES, later)["profile_at"]

    assert profile_at(merged(old, {"region": "EU"}, "crm", later)) == NOON
    assert profile_at(merged(old, {"lifetime_value": 5}, "billing", later)) == later
    assert snapshot_fields(merged({}, {"region": "EU"}, "crm", NOON), AGES, NOON) == {"region": "EU"}


TELLINGS = st.lists(
    st.tuples(
        st.sampled_from(["tier", "region"]), st.sampled_from(PROVENANCES), st.sampled_from(["a", "b", None])
    ),
    min_size=1,
    max_size=8,
)


def told(tellings: list[tuple[int, tuple[str, Provenance, str | None]]]) -> Facts:
    facts: Facts = {}
    for hour, (name, provenance, value) in tellings:
        facts = merged(facts, {name: value}, "crm", NOON + timedelta(hours=hour), provenance)
    return facts


@given(TELLINGS, st.randoms())
def test_neither_order_nor_repetition_of_tellings_matters(
    tellings: list[tuple[str, Provenance, str | None]], random: Any
) -> None:
    dated = list(enumerate(tellings))
    shuffled = [*dated, *dated[:3]]
    random.shuffle(shuffled)
    assert told(shuffled) == told(dated)


@given(TELLINGS, st.integers(0, 900))
def test_nothing_outdated_is_ever_used(tellings: list[tuple[str, Provenance, str | None]], days: int) -> None:
    ages, now = Ages({"tier": 100, "region": 500}), NOON + timedelta(days=days)
    known = usable(told(list(enumerate(tellings))), ages, now)
    for name, at in known.at.items():
        assert now - at <= timedelta(days=ages.days[name])
    assert not set(known.values) & known.stale
    assert known.inferred <= set(known.values)
