"""The demo's results, for a person or as JSON."""

from collections import Counter, defaultdict
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from heardback_local.demo.story import Story

BANDS = ("P1", "P2", "P3", "P4")


def as_json(story: Story, addresses: dict[str, str], seconds: float) -> dict[str, Any]:
    """One object: the checks, the numbers behind them, and where things are."""
    return {
        "ok": story.checks.ok,
        "seconds": round(seconds, 1),
        "checks": [{**asdict(check), "ok": check.ok} for check in story.checks.done],
        "backlog": {team: dict(bands) for team, bands in backlog(story.items).items()},
        "decision": decision_in_words(story.explained),
        "loops": list(story.loops.values()),
        "ledger": story.ledger,
        "addresses": addresses,
    }


def backlog(items: list[dict[str, Any]]) -> dict[str, Counter[str]]:
    """Items not yet resolved, per team and band."""
    teams: dict[str, Counter[str]] = defaultdict(Counter)
    for item in items:
        if item["state"] in ("open", "in_progress"):
            teams[str(item["team"])][str(item["severity"]["band"])] += 1
    return dict(sorted(teams.items()))


def decision_in_words(item: dict[str, Any]) -> str:
    """Why the heaviest feedback of the item went where it went, and what weighed."""
    feedbacks = item.get("feedback") or [{}]
    heaviest = max(feedbacks, key=lambda shown: _severity(shown).get("score", 0))
    reason = (heaviest.get("decision") or {}).get("reason", "No reason was recorded.")
    weights = [
        f"{part['points']:+g} {part['factor']}: {part['because']}"
        for part in _severity(heaviest).get("contributions", ())
    ]
    return "\n".join((f"“{item.get('title', '')}”", reason, *weights))


def _severity(feedback: dict[str, Any]) -> dict[str, Any]:
    severity: dict[str, Any] = (feedback.get("score") or {}).get("severity") or {}
    return severity


def show(story: Story, addresses: dict[str, str], seconds: float, console: Console, *, stays: bool) -> None:
    console.print(_backlog_table(story))
    console.print(_order_table(story))
    words = escape(decision_in_words(story.explained))
    console.print(Panel(words, title="One decision, in plain words", title_align="left", expand=False))
    console.print(_loop_table(story))
    ledger = story.ledger
    console.print(
        f"\n[bold]Ledger[/]  accepted {ledger.get('accepted')} = settled {ledger.get('settled')}"
        f" + in flight {ledger.get('in_flight')} + dead {ledger.get('dead')}"
    )
    console.print(_check_table(story))
    for name, address in addresses.items():
        console.print(f"{name:<10} {address}", highlight=False)
    if not stays:
        console.print(
            "[dim]That was this demo's own stack; it stops now. `make run` starts one that stays: "
            "the backlog is then at http://127.0.0.1:8703/docs[/]"
        )
    verdict = (
        "[bold green]every number is as it must be" if story.checks.ok else "[bold red]something is wrong"
    )
    console.print(f"\n{verdict}[/] ({seconds:.0f} s)")


def _backlog_table(story: Story) -> Table:
    table = Table("team", *BANDS, "open items", title="Backlog per owner", title_justify="left")
    for team, bands in backlog(story.items).items():
        table.add_row(team, *(str(bands[band] or "") for band in BANDS), str(bands.total()))
    return table


def _order_table(story: Story) -> Table:
    """The top of the backlog before anything was resolved, with what runs out first."""
    table = Table(
        "", "item", "team", "because", "due next", title="The most urgent items", title_justify="left"
    )
    for item in story.urgent:
        severity = item["severity"]
        running = [c for c in item["clocks"] if c["state"] == "running" and c.get("due_at")]
        due = min(running, key=lambda clock: str(clock["due_at"]), default=None)
        when = (
            f"{due['kind'].replace('_', ' ')} by {str(due['due_at'])[:16].replace('T', ' ')}" if due else ""
        )
        table.add_row(
            f"{severity['band']} {severity['score']:g}",
            escape(str(item["title"])),
            str(item["team"]),
            escape(str(item["because"])),
            when,
        )
    return table


def _loop_table(story: Story) -> Table:
    columns = ("they wrote", "we told them", "so far")
    table = Table(*columns, title="Loops", title_justify="left", show_lines=True)
    for loop in story.loops.values():
        told = str(loop["message"] or "")
        table.add_row(escape(str(loop["title"])), escape(told), " → ".join(loop["steps"]))
    return table


def _check_table(story: Story) -> Table:
    table = Table("", "check", "expected", "found", title="Checks", title_justify="left")
    for check in story.checks.done:
        mark = "[green]ok[/]" if check.ok else "[bold red]no[/]"
        table.add_row(mark, check.name, escape(str(check.expected)), escape(str(check.found)))
    return table
