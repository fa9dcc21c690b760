"""`heardback routing`: routing rules, looked over without a server."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from heardback_local.failures import MendableError

app = typer.Typer(help="Routing rules: check a policy before it is used.", no_args_is_help=True)
_COLOURS = {"error": "red", "warning": "yellow", "note": "dim"}
_NEEDED = frozenset({"event", "score", "customer", "at"})


class PolicyFileError(MendableError):
    """The policy or the recorded events cannot be used. The message names every fault."""


@app.callback()
def _group() -> None:
    """Keeps `check` a command of its own."""


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="The routing policy.", exists=True, dir_okay=False)],
    events: Annotated[
        Path | None,
        typer.Option(
            help="JSON lines of decision records, or of their inputs: shows overlaps by real events.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Runs the policy's own tests, then looks for rules that can never win, contradict or overlap.

    Exit status 1 where it cannot be used or a rule can never win.
    """
    from heardback_router.routing.lint import lint
    from heardback_router.routing.policy import read_routing
    from heardback_shared.policies.reading import PolicyError

    try:
        policy = read_routing(file.read_text("utf-8"))
    except (PolicyError, UnicodeDecodeError) as error:
        raise PolicyFileError(f"{file}: {error}") from error
    findings = lint(policy, _recorded(events) if events else ())
    if as_json:
        shown = [
            {
                "level": f.level,
                "kind": f.kind,
                "rule": f.rule,
                "other": f.other,
                "because": f.because,
                "witness": f.witness,
            }
            for f in findings
        ]
        typer.echo(json.dumps({"policy": policy.name, "findings": shown}))
    else:
        console = Console(soft_wrap=True, highlight=False)
        for f in findings:
            rule = f" {f.rule}:" if f.rule else ""
            console.print(f"[{_COLOURS[f.level]}]{f.level}[/] {f.kind}{escape(rule)} {escape(f.because)}")
        rules = len(policy.rules)
        console.print(f"{escape(policy.name)}: {rules} rules, its own tests pass, {len(findings)} findings")
    raise typer.Exit(1 if any(f.level == "error" for f in findings) else 0)


def _recorded(path: Path) -> list[Mapping[str, Any]]:
    recorded = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            inputs = record.get("inputs", record)
            if not inputs.keys() >= _NEEDED:
                raise ValueError(f"has no {', '.join(sorted(_NEEDED - inputs.keys()))}")
        except (ValueError, AttributeError) as error:
            raise PolicyFileError(f"{path}, line {number}: not a decision record: {error}") from error
        recorded.append(inputs)
    return recorded
