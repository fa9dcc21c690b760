"""A clock policy that cannot be used is refused whole, with every fault and its place."""

import pytest
from tests.support.clocks import POLICY

from heardback_router.configuration.source import DeploymentPolicies, load_policies, packaged
from heardback_router.sla.policy import read_sla
from heardback_router.sla.showing import shown_policy
from heardback_shared.policies.reading import PolicyError


def test_the_packaged_policy_can_be_used_and_names_every_clock() -> None:
    policy = read_sla(packaged("sla.yaml"))
    assert {kind for rule in policy.rules for kind, _ in rule.targets} == {
        "first_response",
        "next_response",
        "resolution",
        "loop_closed",
    }
    assert policy.warn_at == (50, 75, 90)
    assert DeploymentPolicies(load_policies()).policies.sla.name == policy.name


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("policy: plain@1", "policy: plain", "policy"),
        (
            "calendar: office",
            "calendar: ofice",
            "calendar: there is no calendar ofice; there are office, always",
        ),
        ("tell_in: office", "tell_in: night", "tell_in: there is no calendar night"),
        ("time_zone: UTC", "time_zone: Europe/Berln", "there is no time zone 'Europe/Berln'"),
        ("time_zone: UTC", "time_zone: {of: customer}", "otherwise: Field required"),
        ("within: 2h", "within: 2", "such as 4h, 30m or 1h30m"),
        ("within: 2h", "within: 0m", "such as 4h, 30m or 1h30m"),
        (
            "within: 2h",
            "within: 2h, calendar: nights",
            "targets/urgent/first_response: there is no calendar nights",
        ),
        (
            "within: 2h",
            "within: 90000h",
            "targets/urgent/first_response: calendar office takes over five years",
        ),
        ("band: [P1]", "band: [P5]", "targets/1/when/band"),
        ("name: urgent", "name: gold", "targets/gold: two have this name"),
        ('mon: ["09:00-17:00"]', 'mon: ["9-17"]', "must be hours such as"),
        ('mon: ["09:00-17:00"]', 'mon: ["09:00-24:30"]', "must be hours such as"),
        ("name: idle, because", "name: idle, tell_in: moon, because", "tell_in: there is no calendar moon"),
        (", resolution: none", "", "targets/idle: names no clock"),
        ("contract: [contract]", "contrat: [contract]", "contrat: Extra inputs are not permitted"),
        ("contract: [contract]", "warn_at: [90, 50]", "warn_at: must rise"),
        ("contract: [contract]", "warn_at: [100]", "warn_at/0"),
        ("stops: [resolution]", "stops: [loop_closed]", "pauses/waiting_for_supplier/stops/0"),
        ("time_zone: UTC", "time_zone: UTC\n    holidays: {country: XX}", "no holidays of a country XX"),
        (
            "time_zone: UTC",
            "time_zone: UTC\n    holidays: {country: DE, subdivision: TX}",
            "calendars/office/week/holidays: DE has no subdivision TX; it has ",
        ),
    ],
)
def test_a_fault_is_named_with_its_place(old: str, new: str, fault: str) -> None:
    assert old in POLICY
    with pytest.raises(PolicyError) as refused:
        read_sla(POLICY.replace(old, new, 1))
    assert fault in str(refused.value)


def test_all_faults_are_named_at_once() -> None:
    text = POLICY.replace("tell_in: office", "tell_in: night").replace("name: urgent", "name: gold")
    with pytest.raises(PolicyError, match=r"tell_in: .*night.*two have this name"):
        read_sla(text)


def test_hours_that_are_empty_are_refused() -> None:
    text = "policy: a@1\ncalendars: {c: {time_zone: UTC, hours: {mon: []}}}\ncalendar: c\ntell_in: c\n"
    with pytest.raises(PolicyError, match="at least one weekday"):
        read_sla(f"{text}targets: [{{name: t, because: b, resolution: {{within: 1h}}}}]")


def test_a_policy_is_shown_whole() -> None:
    shown = shown_policy(read_sla(POLICY))
    assert shown["calendars"][0]["hours"]["mon"] == ["09:00-17:00"]
    assert shown["calendars"][1] == {"name": "always", "hours": "always"}
    assert [rule["name"] for rule in shown["targets"]] == ["gold", "urgent", "idle", "usual"]
    assert shown["targets"][0]["when"] == {"contract": ["gold"]}
    assert shown["targets"][2]["targets"] == {"resolution": None}
    assert shown["pauses"][0]["until_customer_writes"] is True
