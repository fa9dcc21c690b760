"""Who is told a step, in which words, and whether somebody reads it first. Pure.

Several customer ids that are one person get one message about an item, which closes all of their loops.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from heardback_router.backlog.domain import highest_tier
from heardback_router.loops.domain import message_id
from heardback_router.loops.ports import Loop, Subject, Telling
from heardback_router.loops.telling import Decision, Stakes, TellingPolicy, decide, sensitivity_of
from heardback_router.messages.domain import ChangeFacts, MessageFacts, Step
from heardback_router.outreach.domain import Draft
from heardback_router.wording import CustomerText, Translations
from heardback_shared.contact.domain import Recipient


@dataclass(frozen=True, slots=True)
class Matter:
    """What is to be told of an item in one step. `author` wrote the words; None: nobody, a machine drafted.
    `occasion` tells apart several of a step in one round; `promises`: the words promise something that is not
    on record."""

    item_id: str
    step: Step
    band: str
    domain: str | None
    about: str | None
    author: str | None = None
    occasion: str = ""
    changes: tuple[ChangeFacts, ...] = ()
    plan: CustomerText | None = None
    answer: CustomerText | None = None
    due: datetime | None = None
    not_before: datetime | None = None
    expires_at: datetime | None = None
    promises: bool = False

    @property
    def facts(self) -> MessageFacts:
        return MessageFacts(self.about, None, self.changes, self.plan, self.answer, self.due)

    @property
    def text(self) -> CustomerText | None:
        """The words that somebody may edit."""
        return self.changes[0].text if self.changes else (self.answer or self.plan)


@dataclass(frozen=True, slots=True)
class Address:
    """One person behind an item: their loops, the first of which speaks for all, and what is decided."""

    loops: tuple[Loop, ...]
    stakes: Stakes
    decision: Decision
    message_id: str

    @property
    def lead(self) -> Loop:
        return self.loops[0]


def addresses(
    matter: Matter,
    loops: Sequence[Loop],
    recipients: Mapping[str, Recipient],
    subjects: Mapping[str, Subject],
    policy: TellingPolicy,
) -> list[Address]:
    """One per person, in the order of their first loop. Loops without a customer are left out."""
    people: dict[str, list[Loop]] = {}
    for loop in loops:
        if loop.customer_id is not None:
            recipient = recipients.get(loop.customer_id)
            people.setdefault(recipient.person_id if recipient else loop.customer_id, []).append(loop)
    found = []
    for theirs in people.values():
        said = [subjects[f] for loop in theirs for f in loop.feedback_ids if f in subjects]
        known = [one.tier for one in (recipients.get(loop.customer_id or "") for loop in theirs) if one]
        stakes = Stakes(
            matter.step,
            matter.band,
            matter.domain,
            highest_tier([*(one.tier for one in said), *known]),  # type: ignore[list-item]
            frozenset(cue for one in said for cue in one.cues),
            len(people),
            matter.author is not None,
            matter.promises,
        )
        lead = theirs[0]
        identity = message_id(lead.id, lead.status.round, matter.step, matter.occasion)
        found.append(Address(tuple(theirs), stakes, decide(stakes, policy), identity))
    return found


def draft_of(address: Address, matter: Matter) -> Draft:
    loops = address.loops
    return Draft(
        id=address.message_id,
        customer_id=address.lead.customer_id or "",
        step=matter.step,
        facts=replace(matter.facts, raised_on=min(loop.raised_at for loop in loops).date()),
        item_ids=tuple(dict.fromkeys(loop.item_id for loop in loops)),
        loop_ids=tuple(loop.id for loop in loops),
        feedback_ids=tuple(dict.fromkeys(f for loop in loops for f in loop.feedback_ids)),
        sensitivity=sensitivity_of(address.stakes.cues),
        critical=address.decision.critical,
        not_before=matter.not_before,
        expires_at=matter.expires_at,
    )


def tellings_of(
    address: Address, matter: Matter, policy: TellingPolicy, review_id: str | None, at: datetime
) -> list[Telling]:
    return [
        Telling(
            address.message_id,
            loop.id,
            loop.status.round,
            matter.step,
            matter.occasion,
            address.decision,
            policy.name,
            address.stakes,
            review_id,
            at,
        )
        for loop in address.loops
    ]


def reworded(draft: Draft, text: CustomerText, translations: Translations = ()) -> Draft:
    """The draft in other words: those of its change, or of its plan or answer."""
    facts = draft.facts
    if facts.changes:
        first = replace(facts.changes[0], text=text, translations=translations)
        return replace(draft, facts=replace(facts, changes=(first, *facts.changes[1:])))
    if facts.answer is not None:
        return replace(draft, facts=replace(facts, answer=text))
    return replace(draft, facts=replace(facts, plan=text))
