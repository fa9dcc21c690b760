"""What is checked before a deed is decided: the form of the item's domain, and every text for customers."""

from dataclasses import replace
from datetime import datetime

from heardback_router.backlog.commands import Command, Resolve, Start
from heardback_router.backlog.domain import Item
from heardback_router.configuration.policies import Policies
from heardback_router.forms.domain import FormError, checked
from heardback_router.messages.checking import faults_of, found_in, refuse_bad, written
from heardback_router.wording import CustomerText


def checked_command(command: Command, item: Item, policies: Policies, at: datetime) -> Command:
    """The command as it may be decided. Raises FormError, and BadTextError for what must not be read."""
    if isinstance(command, Start) and command.plan is not None:
        refuse_bad(written("/plan", command.plan), policies.messages, at)
    return _checked_resolve(command, item, policies, at) if isinstance(command, Resolve) else command


def _checked_resolve(command: Resolve, item: Item, policies: Policies, at: datetime) -> Resolve:
    """With its form in order and what was found in the texts."""
    faults: list[tuple[str, str]] = []
    form = dict(command.form)
    try:
        form = checked(policies.forms, item.domain, command.form)
    except FormError as error:
        faults += error.faults
    texts = (
        written("/tell_customer", command.tell, command.translations)
        if isinstance(command.tell, CustomerText)
        else ()
    )
    found = list(found_in(texts, policies.messages, at, frozenset({command.result})))
    faults += faults_of(found)
    if faults:
        raise FormError(tuple(faults))
    warnings = tuple(
        {"rule": one.finding.rule, "detail": one.finding.detail, "pointer": one.pointer} for one in found
    )
    return replace(command, form=form, warnings=warnings)
