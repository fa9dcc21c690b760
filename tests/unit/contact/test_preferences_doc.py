"""The examples of docs/preferences.md are what the code does."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from heardback_ingest.http.preferences import ConsentIn, PreferencesIn
from heardback_router.configuration.source import packaged
from heardback_router.page.domain import CODE_DIGITS, CODE_LIVES, CODES_AN_HOUR, WRONG_AT_MOST
from heardback_shared.contact.domain import Ask, Later, Recipient, Touch
from heardback_shared.contact.policy import read_contact
from heardback_shared.contact.verdict import ASK_AGAIN, DIGEST_OPEN, verdict

TEXT = (Path(__file__).parents[3] / "docs" / "preferences.md").read_text("utf-8")
BERLIN = ZoneInfo("Europe/Berlin")


def test_the_requests_are_taken() -> None:
    told, agreed = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    assert len(PreferencesIn.model_validate_json(told).tellings(datetime.now(UTC))) == 5
    assert ConsentIn.model_validate_json(agreed).given


def test_the_verdicts_are_given() -> None:
    rules = read_contact(packaged("contact.yaml"))
    (example,) = re.findall(r"```text\n(.*?)```", TEXT, re.DOTALL)
    said = []
    for line in example.splitlines():
        at = datetime.strptime(f"2026 {line[:12]}", "%Y %d %b %H:%M").replace(tzinfo=BERLIN)
        touches = [
            Touch(f"m{h}", "p", "case_updates", "email", True, at - timedelta(hours=h)) for h in (3, 6)
        ]
        answer = verdict(
            Recipient("c", "p", ("email",), time_zone="Europe/Berlin"),
            Ask("case_updates", critical="critical" in line, automatic="by a person" not in line),
            touches if "twice" in line else [],
            replace(rules, quiet=None) if "no quiet hours" in line else rules,
            at,
        )
        told = "now"
        if isinstance(answer, Later):
            told = f"later, {answer.at.astimezone(BERLIN):%d %b %H:%M}, {answer.code}"
        said.append(f"{line.partition('->')[0]}-> {told}")
    assert said == example.splitlines()
    assert len(said) == 5


def test_the_figures_are_those_of_the_code() -> None:
    text = " ".join(TEXT.split())
    assert f"code of {CODE_DIGITS} digits" in text
    assert f"for {int(CODE_LIVES.total_seconds() // 60)} minutes" in text
    assert {5: "five"}[WRONG_AT_MOST] + " wrong tries" in text
    assert {3: "three"}[CODES_AN_HOUR] + " codes an hour" in text
    assert f"every {int(ASK_AGAIN.total_seconds() // 60)} minutes" in text
    assert {timedelta(hours=3): "three hours"}[DIGEST_OPEN] in text
