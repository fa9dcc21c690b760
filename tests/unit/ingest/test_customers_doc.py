"""The examples of docs/customers.md are carried out: its policy, table and file, row by row."""

import re
from datetime import timedelta
from pathlib import Path

from pydantic import ValidationError
from tests.support.clock import NOON

from heardback_ingest.domain.classes import settle
from heardback_ingest.domain.classes_policy import read_classes
from heardback_ingest.domain.customer import merged
from heardback_ingest.domain.importing import csv_rows, lines_of
from heardback_shared.contracts.customer import CustomerUpdated
from heardback_shared.http.problems import field_errors

TEXT = (Path(__file__).parents[3] / "docs" / "customers.md").read_text("utf-8")


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_table_of_classes_is_what_the_policy_gives() -> None:
    policy = read_classes(block("yaml"))
    lines = TEXT.split("| lifetime value |")[1].split("\n\n")[0].splitlines()[2:]
    assert len(lines) == 5
    for line in lines:
        value, currency, breaches, days, told, tier, segment = (c.strip() for c in line.strip("|").split("|"))
        facts = {"renewal_date": (NOON + timedelta(days=int(days))).date().isoformat()}
        facts |= {"lifetime_value": float(value)} if value else {}  # type: ignore[dict-item]
        facts |= {"currency": currency} if currency else {}
        facts |= {"tier": told} if told else {}
        settled = settle(None, merged({}, facts, "crm", NOON), {"breaches": int(breaches)}, policy, NOON)
        assert ((settled.tier or ""), (settled.segment or "")) == (tier, segment), line


def test_the_lines_of_the_file_fare_as_told() -> None:
    refused = {}
    for row in csv_rows(lines_of(block("csv")), {"Kunde": "id", "Stufe": "tier"}):
        fields = {("customer_id" if n == "id" else n): v for n, v in row.fields.items()}
        try:
            CustomerUpdated.model_validate({"source": "crm"} | fields)
        except ValidationError as error:
            refused[row.line] = [pointer for pointer, _ in field_errors(error)]
    assert refused == {3: ["/tier"], 4: ["/lifetime_value"]}
    for line, pointer in re.findall(r"line (\d)(?: is refused)? at `(\S+)`", TEXT):
        assert refused[int(line)] == [pointer]
