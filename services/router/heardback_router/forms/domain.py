"""Forms to fill when an item is resolved, and templates for what is said to customers. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

FieldKind = Literal["text", "number", "choice", "yes_no"]
PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
ANY_DOMAIN = "*"


@dataclass(frozen=True, slots=True)
class FormField:
    name: str
    title: str
    kind: FieldKind
    required: bool = False
    choices: tuple[str, ...] = ()
    smallest: float | None = None
    largest: float | None = None
    longest: int = 2_000


@dataclass(frozen=True, slots=True)
class Form:
    """`domain` "*" is for items whose domain has no form of its own, or that have no domain."""

    domain: str
    fields: tuple[FormField, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """`text` has places such as {name}; each is one of `fields`, with what it is for. `language` is None for
    that of everybody who has none of the others."""

    name: str
    title: str
    when: str
    text: str
    fields: Mapping[str, str]
    language: str | None = None


@dataclass(frozen=True)
class FormsPolicy:
    name: str
    forms: tuple[Form, ...]
    templates: tuple[Template, ...]

    def form_of(self, domain: str | None) -> Form | None:
        found = {form.domain: form for form in self.forms}
        return found.get(domain or ANY_DOMAIN) or found.get(ANY_DOMAIN)

    def template(self, name: str) -> Template | None:
        return next((template for template in self.templates if template.name == name), None)


class FormError(Exception):
    """The form, or a template's fields, cannot be accepted: (pointer, what to send instead) per fault."""

    def __init__(self, faults: tuple[tuple[str, str], ...]) -> None:
        super().__init__("; ".join(f"{pointer}: {detail}" for pointer, detail in faults))
        self.faults = faults


def checked(policy: FormsPolicy, domain: str | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """The filled form in the order of its fields. Raises FormError."""
    form = policy.form_of(domain)
    fields = {field.name: field for field in form.fields} if form else {}
    about = f"the form of {domain or 'items without a domain'}"
    faults = [
        (f"/form/{name}", f"is no field of {about}; it has {', '.join(fields) or 'none'}")
        for name in given
        if name not in fields
    ]
    for name, field in fields.items():
        value = given.get(name)
        if value is None or value == "":
            if field.required:
                faults.append((f"/form/{name}", f"is required by {about}: {field.title}"))
        elif fault := _fault(field, value):
            faults.append((f"/form/{name}", fault))
    if faults:
        raise FormError(tuple(faults))
    return {name: given[name] for name in fields if given.get(name) not in (None, "")}


def filled(template: Template, given: Mapping[str, str]) -> str:
    """The template's text with every place filled. Raises FormError."""
    faults = [
        (f"/fields/{name}", f"is required: {what}")
        for name, what in template.fields.items()
        if not given.get(name, "").strip()
    ]
    faults += [
        (f"/fields/{name}", f"is no field of {template.name}; it has {', '.join(template.fields) or 'none'}")
        for name in given
        if name not in template.fields
    ]
    if faults:
        raise FormError(tuple(faults))
    return PLACE.sub(lambda place: given[place[1]].strip(), template.text)


def _fault(field: FormField, value: Any) -> str | None:
    match field.kind:
        case "choice":
            return None if value in field.choices else f"must be one of {', '.join(field.choices)}"
        case "yes_no":
            return None if isinstance(value, bool) else "must be true or false"
        case "number":
            return _number_fault(field, value)
        case "text":
            if not isinstance(value, str) or "\x00" in value:
                return "must be text"
            too_long = len(value) > field.longest
            return f"must be at most {field.longest} characters long" if too_long else None


def _number_fault(field: FormField, value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "must be a number"
    if field.smallest is not None and value < field.smallest:
        return f"must be at least {field.smallest:g}"
    if field.largest is not None and value > field.largest:
        return f"must be at most {field.largest:g}"
    return None
