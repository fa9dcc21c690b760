"""One rule and what it counts: is there room now, and if not, when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from heardback_ingest.domain.surveys.facts import Facts, Invitation, Reason, Request
from heardback_ingest.domain.surveys.policy import AttributeValue, Counts, Rule, Trait
from heardback_ingest.domain.surveys.windows import Rolling, Window, spelled


@dataclass(frozen=True, slots=True)
class _Counted:
    """An invitation that counts until `until`; None: for good."""

    survey: str
    until: datetime | None

    def at(self, moment: datetime) -> bool:
        return self.until is None or moment < self.until


def against(
    rule: Rule,
    request: Request,
    facts: Facts,
    attributes: dict[str, AttributeValue],
    zone: ZoneInfo,
    now: datetime,
) -> list[Reason]:
    """What the rule says against the request, once for each of contact and account that has no room."""
    if not _concerns(rule, request, attributes):
        return []
    reasons = []
    if rule.scope in {"contact", "both"}:
        reasons += _full(rule, request, facts.invitations, zone, now, "this person")
    if rule.scope in {"account", "both"}:
        reasons += _full(rule, request, facts.account_invitations, zone, now, "the account")
    return reasons


def counts_from(invitation: Invitation, counts: Counts, now: datetime) -> datetime | None:
    """When it began to count; None: it does not, or not any more. A kept place counts as sent while kept."""
    if counts == "answered":
        return invitation.answered_at
    if counts == "seen":
        return invitation.seen_at or invitation.answered_at
    if invitation.state == "reserved":
        return invitation.reserved_at if now < invitation.expires_at else None
    return invitation.sent_at


def _concerns(rule: Rule, request: Request, attributes: dict[str, AttributeValue]) -> bool:
    return (
        rule.applies.takes(request.survey, request.type, request.channel, request.touchpoint)
        and (rule.reminders or request.kind == "invitation")
        and all(condition.holds(attributes) for condition in rule.when)
    )


def _full(
    rule: Rule,
    request: Request,
    past: Sequence[Invitation],
    zone: ZoneInfo,
    now: datetime,
    whose: str,
) -> list[Reason]:
    counted = _counted(rule, request, past, zone, now)
    if _room(rule, request.survey, counted, now):
        return []
    until = _first_room(rule, request.survey, counted, now)
    used = sum(one.at(now) for one in counted)
    detail = _words(rule, request, used, whose)
    return [Reason("rule", detail, rule.name, until, "never" if until is None else "at")]


def _counted(
    rule: Rule, request: Request, past: Sequence[Invitation], zone: ZoneInfo, now: datetime
) -> list[_Counted]:
    window = _window(rule, request.survey)
    found = []
    for one in past:
        began = counts_from(one, rule.counts, now)
        if began is None or not _counts(rule, request, one):
            continue
        until = window.leaves(began, zone)
        if one.state == "reserved" and rule.counts == "sent":
            until = one.expires_at if until is None else min(until, one.expires_at)
        found.append(_Counted(one.survey, until))
    return found


def _window(rule: Rule, survey: str) -> Window:
    return next((s.window for s in rule.shorter if survey in s.surveys), rule.window)


def _counts(rule: Rule, request: Request, one: Invitation) -> bool:
    if not rule.reminders and one.kind == "reminder":
        return False
    if not rule.applies.takes(one.survey, one.type, one.channel, one.touchpoint):
        return False
    return all(_trait(request, trait) == _trait(one, trait) for trait in rule.same)


def _trait(of: Request | Invitation, trait: Trait) -> str | None:
    match trait:
        case "survey":
            return of.survey
        case "type":
            return of.type
        case "channel":
            return of.channel
        case "touchpoint":
            return of.touchpoint


def _room(rule: Rule, survey: str, counted: Sequence[_Counted], now: datetime) -> bool:
    """Kept places go to whom they are kept for; beyond those, and for everybody else, the free ones count."""
    there = [one for one in counted if one.at(now)]
    if len(there) >= rule.most:
        return False
    free = rule.most - sum(kept.slots for kept in rule.reserved)
    taken = len(there)
    for kept in rule.reserved:
        used = sum(one.survey in kept.surveys for one in there)
        if survey in kept.surveys and used < kept.slots:
            return True
        taken -= min(used, kept.slots)
    return taken < free


def _first_room(rule: Rule, survey: str, counted: Sequence[_Counted], now: datetime) -> datetime | None:
    """Room never goes away by waiting, so the moments at which one stops counting are searched by halves."""
    moments = sorted({one.until for one in counted if one.until is not None and one.until > now})
    if not moments or not _room(rule, survey, counted, moments[-1]):
        return None
    low, high = 0, len(moments) - 1
    while low < high:
        middle = (low + high) // 2
        if _room(rule, survey, counted, moments[middle]):
            high = middle
        else:
            low = middle + 1
    return moments[low]


def _words(rule: Rule, request: Request, used: int, whose: str) -> str:
    window = _window(rule, request.survey)
    if rule.gap:
        distance = spelled(window.length) if isinstance(window, Rolling) else str(window)
        said = f"{whose.capitalize()} was asked less than {distance} ago"
    else:
        said = f"{whose.capitalize()} has {used} of at most {rule.most} in {window}"
        kept = [k for k in rule.reserved if request.survey not in k.surveys]
        if kept:
            names = sorted(frozenset[str]().union(*(k.surveys for k in kept)))
            said += f", {sum(k.slots for k in kept)} of them kept for {', '.join(names)}"
    return f"{said} ({rule.counts} counts{'' if rule.reminders else ', reminders do not'})."
