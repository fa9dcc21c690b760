"""What happens in the demo, step by step, and what each step must leave behind."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from heardback_local.child import Say
from heardback_local.demo.api import Api, follow_link, open_page
from heardback_local.demo.checks import Checks
from heardback_local.demo.receiver import Received, Receiver
from heardback_local.samples import Sample, expected, load_customers, load_samples

ANSWERS = {"accepted": 202, "repeat": 200, "refused": 422}
SETTLED_WITHIN_SECONDS = 90.0
TOLD_WITHIN_SECONDS = 30.0
EVENT_TYPE = "loop.told"
MOST_URGENT = 5
_ACTIONS = (
    ("Corrected the record by hand and closed the gap in the nightly transfer that had caused it.",
     "We found the mistake, corrected it, and changed the step in which it happened."),
    ("Gave the case to one named colleague with the means to decide, and reviewed the waiting ones.",
     "One colleague now has your case until it is done, and it has been dealt with today."),
    ("Rolled back the change that caused it and added the case to the tests of every release.",
     "The change behind this has been taken back, and we now check for it before every release."),
)  # fmt: skip


@dataclass
class Story:
    """Runs against services that are up. `second` is router for another person, who reads what must not leave
    on one person's word. `checks` and the results below are filled on the way."""

    ingest: Api
    router: Api
    second: Api
    receiver: Receiver
    say: Say
    now: datetime
    checks: Checks = field(default_factory=Checks)
    feedback: dict[str, dict[str, Any]] = field(default_factory=dict)
    items: list[dict[str, Any]] = field(default_factory=list)
    ledger: dict[str, int] = field(default_factory=dict)
    loops: dict[str, dict[str, Any]] = field(default_factory=dict)
    explained: dict[str, Any] = field(default_factory=dict)
    urgent: list[dict[str, Any]] = field(default_factory=list)

    async def tell(self) -> None:
        samples = load_samples(self.now)
        await self._register()
        accepted = await self._post(samples)
        await self._settle(samples, accepted)
        if self.ledger["settled"] != self.ledger["accepted"]:
            return  # what follows would only repeat that something is wrong
        await self._look_at_backlog(samples)
        chosen = await self._resolve()
        if len(chosen) == len(_ACTIONS):
            await self._hear_back(chosen)
        await self._look_back()

    async def _register(self) -> None:
        customers = load_customers(self.now)
        self.say(f"registering {len(customers)} customers and one webhook endpoint")
        for customer in customers:
            fields = {"source": "crm"} | {name: value for name, value in customer.items() if name != "id"}
            await self.ingest.put(f"/v1/customers/{customer['id']}", fields)
            await self.ingest.put(f"/v1/customers/{customer['id']}/preferences", self._awake())
        endpoint = await self.router.post(
            "/v1/endpoints", {"url": self.receiver.url, "event_types": [EVENT_TYPE]}
        )
        self.receiver.secret = str(endpoint["secret"])
        proven = await self.router.post(f"/v1/endpoints/{endpoint['id']}:prove", {})
        self.checks.equal("the receiver agreed to be sent webhooks", "proven", proven["proof"]["state"])

    def _awake(self) -> dict[str, Any]:
        """Quiet hours on the other side of the clock, so that the demo can be run at any hour."""
        start, end = (self.now + timedelta(hours=h) for h in (11, 13))
        return {
            "source": "demo",
            "provenance": "stated",
            "time_zone": "UTC",
            "quiet_hours": {"start": f"{start:%H:%M}", "end": f"{end:%H:%M}"},
        }

    async def _post(self, samples: tuple[Sample, ...]) -> dict[tuple[str, str], set[str]]:
        """Ids that were given out, per feedback."""
        self.say(f"posting {len(samples)} sample events")
        ids: dict[tuple[str, str], set[str]] = {}
        wrong: list[str] = []
        for sample in samples:
            answer = await self.ingest.try_post(sample.path, sample.body)
            if answer.status_code != ANSWERS[sample.expect]:
                wrong.append(f"{'/'.join(sample.feedback)}: {answer.status_code} {answer.text[:200]}")
            if answer.is_success:
                ids.setdefault(sample.feedback, set()).add(str(answer.json()["id"]))
        counts = expected(samples)
        self.checks.equal("every sample is answered as it must be", [], wrong)
        self.checks.equal("distinct feedbacks accepted", counts.feedbacks, len(ids))
        self.checks.true("a repeat or an edit keeps its id", all(len(given) == 1 for given in ids.values()))
        return ids

    async def _settle(self, samples: tuple[Sample, ...], ids: dict[tuple[str, str], set[str]]) -> None:
        counts = expected(samples)
        self.say("waiting until the ledger is settled")

        async def settled() -> bool:
            self.ledger = await self.ingest.get("/v1/ledger")
            done = self.ledger["settled"] + self.ledger["dead"]
            return self.ledger["in_flight"] == 0 and done >= counts.accepted

        await _until(settled, SETTLED_WITHIN_SECONDS)
        ledger = self.ledger
        self.checks.equal("accepted in the ledger", counts.accepted, ledger["accepted"])
        self.checks.equal("settled in the ledger", counts.accepted, ledger["settled"])
        self.checks.equal("in flight", 0, ledger["in_flight"])
        self.checks.equal("dead", 0, ledger["dead"])
        total = ledger["settled"] + ledger["in_flight"] + ledger["dead"]
        self.checks.equal("accepted = settled + in flight + dead", ledger["accepted"], total)
        if ledger["dead"]:
            for letter in (await self.ingest.get("/v1/dead-letters", limit=3))["dead_letters"]:
                self.say(f"dead in {letter['service']}: {letter['error']}: {letter['reason']}")
        for given in ids.values():
            for feedback_id in given:
                self.feedback[feedback_id] = await self.ingest.get(f"/v1/feedback/{feedback_id}")
        by_key = {key: self.feedback[min(given)] for key, given in ids.items()}
        self._check_readings(samples, by_key)

    def _check_readings(
        self, samples: tuple[Sample, ...], by_key: dict[tuple[str, str], dict[str, Any]]
    ) -> None:
        valid = {sample.feedback: sample for sample in samples if sample.expect != "refused"}
        english = [key for key, sample in valid.items() if _is_english_text(sample)]
        other = [key for key, sample in valid.items() if sample.body.get("language") not in (None, "en")]

        def status(key: tuple[str, str]) -> str:
            return str((by_key[key].get("score") or {}).get("status"))

        routed = sum(bool((shown.get("item") or {}).get("team")) for shown in by_key.values())
        self.checks.equal("feedbacks that reached a team", len(valid), routed)
        self.checks.equal(
            "English texts read by the model", len(english), sum(status(k) == "scored" for k in english)
        )
        self.checks.equal(
            "other languages left unscored", len(other), sum(status(k) == "unscored" for k in other)
        )

    async def _look_at_backlog(self, samples: tuple[Sample, ...]) -> None:
        self.items = await self._all_items()
        self.checks.true("every item has an owning team", all(item["team"] for item in self.items))
        linked = sum(int(item["feedback_count"]) for item in self.items)
        self.checks.equal("feedbacks linked to exactly one item", len(self.feedback), linked)
        self.checks.true(
            "a repeated contact joins its item", any(i["feedback_count"] > 1 for i in self.items)
        )
        self.checks.true("one matter over two channels is one case", any(i["case"] for i in self.items))
        shown = repr(self.items) + repr(list(self.feedback.values()))
        self.checks.equal("personal data shown", [], sorted(p for p in _personal(samples) if p in shown))

    async def _all_items(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            page = await self.router.get("/v1/items", limit=100, **({"cursor": cursor} if cursor else {}))
            found += page["items"]
            cursor = page.get("next_cursor")
            if not cursor:
                return found

    async def _resolve(self) -> list[dict[str, Any]]:
        self.urgent = [await self.router.get(f"/v1/items/{item['id']}") for item in self.items[:MOST_URGENT]]
        chosen = _three_worst(self.items)
        self.checks.equal("items to resolve, of different customers", len(_ACTIONS), len(chosen))
        self.say(f"resolving {len(chosen)} items")
        for item, (action, told) in zip(chosen, _ACTIONS, strict=False):
            # Whose matter came over several channels hears once, when the last item of the case is resolved.
            for one in [*await self._rest_of_case(item), item]:
                await self._resolve_one(one, action, told)
        return chosen

    async def _rest_of_case(self, item: dict[str, Any]) -> list[dict[str, Any]]:
        case_id = (await self.router.get(f"/v1/items/{item['id']}/grouping"))["case"]
        case = await self.router.get(f"/v1/cases/{case_id}") if case_id else {"items": []}
        return [one for one in case["items"] if one["id"] != item["id"]]

    async def _resolve_one(self, item: dict[str, Any], action: str, told: str) -> None:
        full, _ = await self.router.get_with_etag(f"/v1/items/{item['id']}")
        await self._finish_parts(full, action)
        full, etag = await self.router.get_with_etag(f"/v1/items/{item['id']}")
        if not self.explained:
            self.explained = full
        cause = f"{item.get('domain') or 'unclear'}/{item.get('category') or 'unclear'}"
        await self.router.post(
            f"/v1/items/{item['id']}:resolve",
            {"root_cause": cause, "action": action, "tell_customer": {"text": told}},
            headers={"If-Match": etag},
        )

    async def _finish_parts(self, parent: dict[str, Any], action: str) -> None:
        """Other domains' shares of the work come first; the customer hears from the parent only."""
        for part in parent["children"]["items"]:
            _, etag = await self.router.get_with_etag(f"/v1/items/{part['id']}")
            done = await self.router.post(
                f"/v1/items/{part['id']}:resolve",
                {
                    "root_cause": f"{part['domain']}/{part['category']}",
                    "action": action,
                    "not_telling_because": "The customer hears from the item it is a part of.",
                },
                headers={"If-Match": etag},
            )
            self.checks.equal("a part that is resolved closes by itself", "closed", done["state"])

    async def _hear_back(self, chosen: list[dict[str, Any]]) -> None:
        due = sum(len(item["customers"]) for item in chosen)
        await self._release(chosen)
        self.say(f"waiting for {due} webhooks")

        async def told() -> bool:
            return len({call.webhook_id for call in self._told() if call.verified}) >= due

        await _until(told, TOLD_WITHIN_SECONDS)
        calls = self._told()
        self.checks.equal("customers told", due, len({call.webhook_id for call in calls}))
        self.checks.true("every signature verifies", bool(calls) and all(call.verified for call in calls))
        bodies = {(call.webhook_id, call.raw) for call in calls}
        self.checks.equal("webhook ids with one body each", len({i for i, _ in bodies}), len(bodies))
        self.say("one customer confirms, another disputes")
        await self._answer(chosen)

    async def _release(self, chosen: list[dict[str, Any]]) -> None:
        """Where the stakes are high nobody is told before a second person has read it."""
        ids = {str(item["id"]) for item in chosen}
        waiting = [
            review
            for review in (await self.second.get("/v1/reviews", state="waiting"))["reviews"]
            if review["item_id"] in ids
        ]
        self.say(f"a second person reads and releases {len(waiting)} of them")
        refused = set()
        for review in waiting:
            own = await self.router.try_post(
                f"/v1/reviews/{review['id']}:approve", {"version": review["version"]}
            )
            refused.add(own.status_code)
            await self.second.post(f"/v1/reviews/{review['id']}:approve", {"version": review["version"]})
        self.checks.equal("nobody releases their own words", [403] if waiting else [], sorted(refused))

    def _told(self) -> list[Received]:
        return [call for call in self.receiver.received if call.type == EVENT_TYPE]

    async def _answer(self, chosen: list[dict[str, Any]]) -> None:
        by_item = {str(item): call for call in self._told() for item in call.data.get("item_ids", ())}
        # A message about one matter can be answered by its links; one about several is answered on the page.
        one_matter = [
            (item, call) for item in chosen if (call := by_item.get(str(item["id"]))) and _answerable(call)
        ]
        complaint = {"comment": "It happened again this morning."}
        if len(one_matter) >= 2:
            (confirmed, first), (disputed, second) = one_matter[:2]
            page = await open_page(str(first.data["links"]["page"]))
            self.checks.true("the customer's own page opens without an account", "<h1" in page)
            await follow_link(str(first.data["links"]["confirm"]))
            await follow_link(str(second.data["links"]["dispute"]), complaint)

        async def both_known() -> bool:
            self.loops = await self._read_loops(chosen)
            states = {loop["state"] for loop in self.loops.values()}
            return {"confirmed", "disputed"} <= states

        await _until(both_known, TOLD_WITHIN_SECONDS)
        states = [loop["state"] for loop in self.loops.values()]
        self.checks.equal("loops confirmed", 1, states.count("confirmed"))
        self.checks.equal("loops disputed", 1, states.count("disputed"))
        self.checks.equal(
            "loops in any other state than told or answered",
            0,
            len(set(states) - {"told", "confirmed", "disputed"}),
        )
        if len(one_matter) >= 2:
            item = await self.router.get(f"/v1/items/{disputed['id']}")
            self.checks.equal("a dispute reopens its item", "open", item["state"])
            item = await self.router.get(f"/v1/items/{confirmed['id']}")
            self.checks.true("a confirmation does not", item["state"] in ("resolved", "closed"))

    async def _read_loops(self, chosen: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
        titles = {str(item["id"]): str(item["title"]) for item in chosen}
        full = [await self.router.get(f"/v1/items/{item_id}") for item_id in titles]
        known = {loop["id"]: loop for item in full for loop in item["loops"]}
        loops: dict[str, dict[str, Any]] = {}
        for feedback_id, before in self.feedback.items():
            item_id = str((before.get("item") or {}).get("id"))
            if item_id in titles:
                shown = await self.ingest.get(f"/v1/feedback/{feedback_id}")
                if loop := shown.get("loop"):
                    seen = known.get(loop["id"], {"message": None, "history": []})
                    steps = [step["state"] for step in seen["history"]]
                    more = {"title": titles[item_id], "message": seen["message"], "steps": steps}
                    loops[str(loop["id"])] = {**loop, "item_id": item_id, **more}
        return loops

    async def _look_back(self) -> None:
        """What resolving, telling and reopening must not have changed."""
        self.items = await self._all_items()
        after = await self.ingest.get("/v1/ledger")
        self.checks.true("the ledger stays as it was", after == self.ledger)


def _three_worst(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The three most severe items that name a customer, of different customers; worst first."""
    chosen: list[dict[str, Any]] = []
    seen: set[str] = set()
    for item in items:
        customers = {_customer_id(customer) for customer in item["customers"]}
        if customers and not customers & seen:
            chosen.append(item)
            seen |= customers
        if len(chosen) == len(_ACTIONS):
            break
    return chosen


def _answerable(call: Received) -> bool:
    return {"confirm", "dispute"} <= set(call.data.get("links", ()))


def _customer_id(customer: Any) -> str:
    return str(customer["id"] if isinstance(customer, dict) else customer)


def _is_english_text(sample: Sample) -> bool:
    return sample.body.get("language") == "en"


_PERSONAL = re.compile(
    r"[\w.]+@[\w.]+\.\w+|4111[\d ]{15}|DE89[\d ]{23}|GB82[\w ]{23}|(?:\+44 20|020) 7946 \d{4}"
)


def _personal(samples: tuple[Sample, ...]) -> set[str]:
    """Addresses and numbers in the sample texts, as written there."""
    return {found.strip() for sample in samples for found in _PERSONAL.findall(repr(sample.body))}


async def _until(holds: Callable[[], Awaitable[bool]], within_seconds: float) -> None:
    """Waits for it; what is not so in the end, the checks will name."""
    deadline = asyncio.get_running_loop().time() + within_seconds
    while True:
        if await holds() or asyncio.get_running_loop().time() > deadline:
            return
        await asyncio.sleep(0.1)
