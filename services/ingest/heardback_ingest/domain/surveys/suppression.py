"""What stands against asking whatever the rules allow: who the person is, what they live through, where the
conversation stands."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from heardback_ingest.domain.surveys.facts import Conversation, Facts, Reason, ReasonCode, Request
from heardback_ingest.domain.surveys.limits import counts_from
from heardback_ingest.domain.surveys.policy import Suppression, SurveysPolicy
from heardback_ingest.domain.surveys.reach import out_of_reach
from heardback_ingest.domain.surveys.windows import spelled


def suppressed(request: Request, facts: Facts, policy: SurveysPolicy, now: datetime) -> Iterator[Reason]:
    """Every reason that holds at `now`."""
    yield from _survey(request, policy)
    yield from _person(facts, policy.suppress)
    yield from _company(facts, now)
    yield from _lived(facts, policy.suppress, now)
    yield from _reached(facts, policy.suppress, now)
    yield from out_of_reach(facts, policy.suppress, now)
    if facts.skipped_because is not None:
        detail = f"Somebody left this conversation out: {facts.skipped_because}"
        yield Reason("conversation_skipped", detail)
    if facts.enough_because is not None and request.kind == "invitation":
        yield Reason("enough_asked", f"Enough are asked: {facts.enough_because}.")
    if request.conversation is not None:
        yield from _conversation(request.conversation, policy.suppress, now)


def _survey(request: Request, policy: SurveysPolicy) -> Iterator[Reason]:
    if not policy.surveys:
        return
    known = policy.surveys.get(request.survey)
    if known is None:
        said = (
            f"The policy {policy.version} lists the surveys that may be asked; {request.survey} is not there."
        )
        yield Reason("survey_unknown", said)
    elif known != request.type:
        said = f"{request.survey} is of type {known} in {policy.version}, not {request.type}."
        yield Reason("survey_type_differs", said)


def _person(facts: Facts, suppress: Suppression) -> Iterator[Reason]:
    person = facts.person
    if person.erased:
        yield Reason("erased", "The customer's personal data were erased on request.")
    if suppress.unknown_customer and not person.known and not person.erased:
        yield Reason("unknown_customer", "Nothing was ever told or heard of this customer.")
    if person.refused:
        yield Reason("opted_out", "The customer does not want to be asked.")
    elif suppress.consent_needed and not person.agreed:
        yield Reason("no_consent", "The customer has not agreed to be asked.")
    if person.held_because is not None:
        yield Reason("on_hold", f"No machine may write to the customer: {person.held_because}")


def _company(facts: Facts, now: datetime) -> Iterator[Reason]:
    if facts.sending_stopped is not None:
        yield Reason("sending_stopped", f"Nothing is sent to any customer: {facts.sending_stopped}")
    if facts.crisis_because is not None and facts.crisis_ends is not None and now < facts.crisis_ends:
        said = f"No surveys in a crisis: {facts.crisis_because}"
        yield Reason("crisis", said, until=facts.crisis_ends, ends="at")


def _lived(facts: Facts, suppress: Suppression, now: datetime) -> Iterator[Reason]:
    if suppress.open_complaint and facts.open_items:
        count = facts.open_items
        yield Reason("open_complaint", f"{count} item{'s' if count > 1 else ''} of the customer still open.")
    if suppress.severe_within is not None:
        severe = [(at, band) for band, at in facts.severe if band in suppress.severe_bands]
        yield from _recent("open_complaint", "Feedback of band {}", severe, suppress.severe_within, now)
    if suppress.just_answered is not None:
        answers = [(at, "") for at in facts.answers]
        yield from _recent(
            "just_answered", "The customer answered a survey", answers, suppress.just_answered, now
        )
    if suppress.vulnerable_within is not None:
        cues = [(at, cue) for cue, at in facts.cues if cue in suppress.vulnerable_cues]
        yield from _recent(
            "vulnerability_cue", "Feedback with the cue {}", cues, suppress.vulnerable_within, now
        )


def _recent(
    code: ReasonCode, said: str, heard: list[tuple[datetime, str]], within: timedelta, now: datetime
) -> Iterator[Reason]:
    if not heard:
        return
    at, what = max(heard)
    if now < at + within:
        detail = f"{said.format(what)} less than {spelled(within)} ago."
        yield Reason(code, detail, until=at + within, ends="at")


def _reached(facts: Facts, suppress: Suppression, now: datetime) -> Iterator[Reason]:
    """Room comes when as few are left as are allowed less one."""
    if suppress.messages is None:
        return
    within = suppress.messages_within
    ends = [at + within for at in (*facts.messages, *facts.by_people)]
    for one in facts.invitations:
        began = counts_from(one, "sent", now)
        if began is not None:
            ends.append(min(began + within, one.expires_at) if one.state == "reserved" else began + within)
    there = sorted((end for end in ends if now < end), reverse=True)
    if len(there) < suppress.messages:
        return
    said = (
        f"We wrote to the customer {len(there)} times in {spelled(within)}; {suppress.messages} is the most."
    )
    yield Reason("contacted_too_often", said, until=there[suppress.messages - 1], ends="at")


def _conversation(about: Conversation, suppress: Suppression, now: datetime) -> Iterator[Reason]:
    if about.spam:
        yield Reason("spam_thread", "The conversation is spam.", ends="never")
    if suppress.agent_started and about.agent_started:
        yield Reason("agent_started", "An agent, not the customer, began the conversation.", ends="never")
    if not about.can_reply:
        yield Reason("cannot_reply", "The channel takes no answer from the customer just now.")
    after = suppress.auto_resolved_after
    if after is not None and about.auto_resolved_at is not None and now >= about.auto_resolved_at + after:
        said = f"The conversation closed by itself {spelled(after)} ago or longer."
        yield Reason("auto_resolved_long_ago", said, ends="never")
