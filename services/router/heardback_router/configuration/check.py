"""Whether a text can be a policy of its kind: asked of its reader here, or of the service that reads it."""

from heardback_router.configuration.domain import Text
from heardback_router.configuration.kinds import ALL_KINDS, KINDS, READ_BY
from heardback_router.configuration.ports import Checked, Readers
from heardback_router.configuration.source import text_named
from heardback_shared.errors import ProblemError
from heardback_shared.http.problems import invalid
from heardback_shared.policies.reading import PolicyError, content_of

POINTER = "/text"


async def check(kind: str, text: str, readers: Readers, bearer: str) -> tuple[Text, tuple[str, ...]]:
    """The text under its name, and warnings. Raises ProblemError, every fault named, with where it stands."""
    if kind in READ_BY:
        checked = await readers.check(kind, text, bearer)
    else:
        checked = read_here(kind, text)
    return text_named(checked.policy, text), checked.warnings


def read_here(kind: str, text: str) -> Checked:
    """Raises ProblemError."""
    try:
        KINDS[kind](text)
        return Checked(str(content_of(text)["policy"]))
    except PolicyError as error:
        faults = tuple((POINTER + pointer, detail) for pointer, detail in error.faults)
        raise invalid(faults or ((POINTER, str(error)),), f"This is no {kind} policy: {error}") from error


def known_kind(kind: str) -> str:
    """The kind. Raises ProblemError where there is none of this name."""
    if kind in ALL_KINDS:
        return kind
    raise ProblemError(
        404,
        "not-found",
        "There is no such kind of policy",
        f"Policies are of the kinds {', '.join(ALL_KINDS)}.",
    )
