"""`heardback doctor`: every check, as a table or as JSON."""

import json
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from heardback_local.doctor.broker import look_at_kafka, look_at_memory
from heardback_local.doctor.database import look_at_database
from heardback_local.doctor.findings import Finding
from heardback_local.doctor.model import look_at_model
from heardback_local.doctor.services import look_at_services
from heardback_local.target import adopt
from heardback_shared.settings import DatabaseSettings, KafkaSettings

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "bold red"}


async def run_doctor(folder: Path, *, as_json: bool) -> int:
    """The exit status: 1 if something fails, 0 otherwise."""
    embedded = adopt(folder)
    findings = [
        *await look_at_database(DatabaseSettings()),
        *await look_at_kafka(KafkaSettings()),
        *(look_at_memory(folder) if embedded else ()),
        *look_at_model(),
        *await look_at_services(),
    ]
    failed = any(finding.verdict == "fail" for finding in findings)
    if as_json:
        print(json.dumps({"ok": not failed, "findings": [asdict(f) for f in findings]}))  # noqa: T201
    else:
        Console().print(_table(findings))
    return 1 if failed else 0


def _table(findings: list[Finding]) -> Table:
    table = Table("", "what", "found", "what to do")
    for finding in findings:
        colour = _COLOURS[finding.verdict]
        table.add_row(f"[{colour}]{finding.verdict}[/]", finding.subject, finding.detail, finding.mend)
    return table
