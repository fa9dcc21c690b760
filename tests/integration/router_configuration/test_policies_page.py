"""The example on the page about policies is what happens."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.support.clock import NOON
from tests.support.policies import ROUTING, House, renamed
from tests.support.router_http import Caller, router_app
from tests.support.scored import incoming, score, scored

from heardback_shared.db.database import Database

PAGE = (Path(__file__).parents[3] / "docs" / "policies.md").read_text("utf-8")
CALL = re.compile(r"^(ana|bo): (GET|POST) (\S+)(?: (\{.*\}))?\n→ (\d+) (\{.*\})$", re.M)
RULE = re.search(r"```yaml rule\n(.*?)```", PAGE, re.S)


def holds(told: Any, answer: Any) -> bool:
    """Whether an answer says all that the page tells of it."""
    if isinstance(told, dict):
        return isinstance(answer, dict) and all(
            key in answer and holds(value, answer[key]) for key, value in told.items()
        )
    return bool(told == answer)


def changed(rule: str) -> str:
    """The packaged policy with the rule before that of its domain, and its own tests mended accordingly."""
    text = renamed(ROUTING, "ours@1").replace(
        "  - name: operations-domain", f"{rule}  - name: operations-domain"
    )
    rules, mark, tests = text.partition("\ntests:\n")
    first, second, *others = tests.split("operations-domain")
    mended = f"{first.replace('team: operations', 'team: account-management')}billing-to-accounts{second}"
    return f"{rules}{mark}{mended}billing-to-accounts{'operations-domain'.join(others)}"


async def test_every_request_of_the_example_is_answered_as_it_says(database: Database) -> None:
    assert RULE is not None
    text = changed(RULE[1])
    async with router_app(database) as app:
        bills = ("operations/billing", "product/defect")
        await app.router.receive(
            *(
                incoming(
                    scored(
                        n,
                        customer=f"c-{n}",
                        reading=score(40.0, bills[n % 2]),
                        accepted_at=NOON - timedelta(days=n),
                    )
                )
                for n in range(8)
            )
        )
        house = await House.of(app)
        people = {
            "ana": await app.caller("default", "admin", name="ana"),
            "bo": house.bo,
        }
        run = ""
        calls = CALL.findall(PAGE)
        assert len(calls) == 9
        for who, method, path, body, status, told in calls:
            sent = json.loads(body) if body else None
            if sent and sent.get("text") == "…":
                sent["text"] = text
            answer = await asked(people[who], method, path.replace("{run}", run), sent)
            said = answer.json()
            assert answer.status_code == int(status), (path, said)
            assert holds(json.loads(told), said), json.dumps(said)
            if path == "/v1/what-if":
                run = said["id"]
                assert await app.core.changing.runner.once()
            if path.endswith("/routing"):
                await app.router.receive(incoming(scored(9, customer="c-9")))
                assert {i.team for i in await app.router.items() if i.customers == ("c-9",)} == {
                    "account-management"
                }


async def asked(who: Caller, method: str, path: str, body: Any) -> Any:
    return await who.get(path) if method == "GET" else await who.post(path, body)
