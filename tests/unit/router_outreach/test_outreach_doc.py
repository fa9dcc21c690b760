"""What docs/outreach.md says of states, codes, limits and settings is what the code does."""

import json
import re
from datetime import datetime
from pathlib import Path

from heardback_router.mail.settings import MailSettings
from heardback_router.outreach.deciding import DOWN_AT_MOST, MOST_TOGETHER
from heardback_router.outreach.http import explanation
from heardback_router.outreach.mailing import DELAYS
from heardback_router.outreach.settings import OutreachSettings
from heardback_router.outreach.states import FOLLOWS

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "outreach.md").read_text("utf-8")
ONE_LINE = " ".join(TEXT.split())


def test_the_table_of_states_is_the_state_machine() -> None:
    rows = re.findall(r"^\| (\w+) \| .* \| ?([\w, ]*) ?\|$", TEXT, re.MULTILINE)
    told = {state: {s for s in after.replace(" ", "").split(",") if s} for state, after in rows[1:]}
    assert told == {state: set(after) - {state} for state, after in FOLLOWS.items()}


def test_the_example_is_what_is_answered() -> None:
    (block,) = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    shown = json.loads(block)
    due_at = datetime.fromisoformat(shown["due_at"])
    reason = "It is within the customer's quiet hours."
    assert shown["explanation"] == explanation(shown["state"], reason, due_at, None)


def test_every_code_it_names_is_in_the_code() -> None:
    """And with it that a code that is renamed is renamed here."""
    listed = ONE_LINE.split("Codes beside those of the contact policy: ")[1].split(". ")[0]
    codes = re.findall(r"`([a-z_]+)`", listed)
    folder = ROOT / "services/router/heardback_router/outreach"
    sources = "".join(source.read_text("utf-8") for source in folder.glob("*.py"))
    assert len(codes) >= 13
    unknown = [code for code in codes if f'"{code}"' not in sources and f"'{code}'" not in sources]
    assert not unknown


def test_limits_and_settings_are_those_of_the_code() -> None:
    assert f"at most {MOST_TOGETHER} messages" in ONE_LINE
    assert f"up to {DOWN_AT_MOST.days} days" in ONE_LINE
    assert f"{len(DELAYS) + 1} times over about three days" in ONE_LINE
    settings = OutreachSettings()
    for name in OutreachSettings.model_fields:
        value = str(getattr(settings, name)).lower().removesuffix(".0")
        assert re.search(rf"_{name.upper()}` \({re.escape(value)}", ONE_LINE), name
    for name in MailSettings.model_fields:
        named = {"sender": "from", "concurrency": None}.get(name, name)
        assert named is None or f"_{named.upper()}`" in ONE_LINE, name
