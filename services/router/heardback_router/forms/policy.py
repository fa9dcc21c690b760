"""Reading the forms policy."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from heardback_router.forms.domain import PLACE, FieldKind, Form, FormField, FormsPolicy, Template
from heardback_router.wording import CUSTOMER_TEXT_LIMIT, LanguageCode
from heardback_shared.policies.reading import PolicyError, Shape, Version, Words, parsed

FieldName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
DomainName = Annotated[str, StringConstraints(pattern=r"^(\*|[a-z0-9][a-z0-9_-]{0,63})$")]
TemplateName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Body = Annotated[str, StringConstraints(min_length=1, max_length=CUSTOMER_TEXT_LIMIT, strip_whitespace=True)]


class _Field(Shape):
    name: FieldName
    title: Words
    kind: FieldKind
    required: bool = False
    choices: tuple[Words, ...] = ()
    smallest: float | None = None
    largest: float | None = None
    longest: Annotated[int, Field(ge=1, le=10_000)] = 2_000

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if (self.kind == "choice") != bool(self.choices):
            raise ValueError(
                f"field {self.name}: choices belong to a field of kind choice, and it needs them"
            )
        bounded = self.smallest is not None or self.largest is not None
        if bounded and self.kind != "number":
            raise ValueError(f"field {self.name}: smallest and largest belong to a number")
        if self.smallest is not None and self.largest is not None and self.smallest > self.largest:
            raise ValueError(f"field {self.name}: smallest lies above largest")
        return self


class _Form(Shape):
    domain: DomainName
    fields: Annotated[tuple[_Field, ...], Field(max_length=50)]


class _Template(Shape):
    name: TemplateName
    title: Words
    when: Words
    text: Body
    fields: dict[FieldName, Words] = Field(default_factory=dict)
    language: LanguageCode | None = None


class _Forms(Shape):
    policy: Version
    forms: tuple[_Form, ...] = ()
    templates: tuple[_Template, ...] = ()


def read_forms(text: str) -> FormsPolicy:
    """Raises PolicyError."""
    shape = parsed(text, _Forms)
    faults = _twice("form", [form.domain for form in shape.forms])
    faults += _twice("template", [template.name for template in shape.templates])
    for form in shape.forms:
        faults += _twice(f"form {form.domain}: field", [field.name for field in form.fields])
    for template in shape.templates:
        faults += _place_faults(template)
    if faults:
        raise PolicyError(f"forms policy {shape.policy}: " + "; ".join(faults))
    return FormsPolicy(
        shape.policy,
        tuple(Form(f.domain, tuple(FormField(**dict(field)) for field in f.fields)) for f in shape.forms),
        tuple(Template(t.name, t.title, t.when, t.text, t.fields, t.language) for t in shape.templates),
    )


def _twice(what: str, names: list[str]) -> list[str]:
    return [f"{what} {name} is there twice" for name in sorted({n for n in names if names.count(n) > 1})]


def _place_faults(template: _Template) -> list[str]:
    used, known = set(PLACE.findall(template.text)), set(template.fields)
    faults = [f"template {template.name}: {{{name}}} is none of its fields" for name in sorted(used - known)]
    faults += [f"template {template.name}: field {name} is used nowhere" for name in sorted(known - used)]
    rest = PLACE.sub("", template.text)
    if "{" in rest or "}" in rest:
        faults.append(f"template {template.name}: a place is a lower-case name in braces, such as {{name}}")
    return faults
