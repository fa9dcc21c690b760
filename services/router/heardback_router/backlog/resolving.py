"""What a resolution is checked for before it is decided: its domain's form, the text for the customer."""

from dataclasses import replace

from heardback_router.backlog.commands import Resolve
from heardback_router.backlog.domain import Item
from heardback_router.forms.domain import FormError, FormsPolicy, checked
from heardback_router.forms.lint import lint
from heardback_router.wording import CustomerText


def checked_resolve(command: Resolve, item: Item, policy: FormsPolicy) -> Resolve:
    """The command with its form in order and what was found in the text. Raises FormError."""
    faults: list[tuple[str, str]] = []
    form = dict(command.form)
    try:
        form = checked(policy, item.domain, command.form)
    except FormError as error:
        faults += error.faults
    found = lint(command.tell.text, policy.lint) if isinstance(command.tell, CustomerText) else ()
    faults += [("/tell_customer/text", finding.detail) for finding in found if finding.refuses]
    if faults:
        raise FormError(tuple(faults))
    warnings = tuple({"rule": finding.rule, "detail": finding.detail} for finding in found)
    return replace(command, form=form, warnings=warnings)
