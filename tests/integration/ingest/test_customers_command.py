"""`heardback customers import` against ingest on a real port: tried, taken in parts, broken off, resumed."""

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from tests.integration.ingest.conftest import Key
from tests.support.serving import served
from typer.testing import CliRunner, Result

from heardback_ingest.main import Ingest
from heardback_local.commands import customers
from heardback_shared.db.database import Database


@pytest.fixture
def run(ingest: Ingest, key: Key, monkeypatch: pytest.MonkeyPatch) -> Any:
    async def command(file: Path, *options: str) -> Result:
        token = (await key())["Authorization"].removeprefix("Bearer ")
        async with served(ingest.http) as url:
            monkeypatch.setenv("HEARDBACK_INGEST_URL", url)
            asked = ["import", str(file), "--source", "crm", "--key", token, *options]
            return await asyncio.to_thread(lambda: CliRunner().invoke(customers.app, asked))

    return command


async def count(database: Database) -> int:
    async with database.worker() as c:
        return int(await c.scalar(text("SELECT count(*) FROM ingest.customer")) or 0)


async def test_a_dry_run_tells_and_an_import_makes_the_changes(
    run: Any, tmp_path: Path, database: Database
) -> None:
    file = tmp_path / "customers.csv"
    file.write_text("Nr,tier,email\nc-1,key,ada@example.com\nc-2,gold,\n")
    tried = await run(file, "--dry-run", "--map", "Nr:id")
    assert tried.exit_code == 1
    assert "line 2 new c-1 email changes; tier: None → key" in tried.output
    assert "line 3 refused  /tier" in tried.output
    assert "1 would be new, 0 would be changed, 0 would be unchanged, 1 would be refused" in tried.output
    assert await count(database) == 0
    taken = await run(file, "--map", "Nr:id", "--json")
    assert json.loads(taken.stdout.splitlines()[-1])["counts"]["new"] == 1
    assert await count(database) == 1


async def test_many_parts_broken_off_go_on_where_they_stood(
    run: Any, tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(customers, "PART_ROWS", 4)
    file = tmp_path / "customers.csv"
    file.write_text("id,region\n" + "".join(f"c-{n},EU\n" for n in range(10)))
    sent: list[int] = []
    send = customers._Ingest.send

    def breaks(self: Any, part: customers.Part, *args: Any) -> dict[str, Any]:
        sent.append(part.first_line)
        if len(sent) == 2:
            raise OSError("the line went dead")
        return send(self, part, *args)

    monkeypatch.setattr(customers._Ingest, "send", breaks)
    broken = await run(file)
    assert isinstance(broken.exception, OSError)
    assert await count(database) == 4
    async with database.worker() as c:
        import_id = await c.scalar(text("SELECT id FROM ingest.customer_import"))
    resumed = await run(file, "--resume", import_id)
    assert resumed.exit_code == 0
    assert sent == [2, 6, 6, 10]
    assert await count(database) == 10
    async with database.worker() as c:
        kept = (await c.execute(text("SELECT last_line, counts FROM ingest.customer_import"))).one()
    assert (kept.last_line, kept.counts["new"]) == (11, 10)


async def test_a_refusal_of_the_whole_file_is_told(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "customers.csv"
    file.write_text("name\nx\n")
    refused = await run(file)
    assert isinstance(refused.exception, customers.ImportRefusedError)
    assert "no column stands for id" in str(refused.exception)


ROWS = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), max_size=6), max_size=9)


@given(ROWS)
def test_parts_are_cut_between_rows_and_leave_nothing_out(cells: list[str]) -> None:
    rows = ['"' + cell.replace('"', '""') + '"\n' for cell in cells]
    with pytest.MonkeyPatch.context() as patched, tempfile.NamedTemporaryFile(suffix=".csv") as file:
        patched.setattr(customers, "PART_ROWS", 2)
        file.write(("id\n" + "".join(rows)).encode())
        file.flush()
        parts = list(customers.parts(Path(file.name), is_csv=True))
    assert b"".join(p.content.removeprefix(b"id\n") for p in parts) == "".join(rows).encode()
    assert sum(p.size for p in parts) == len("".join(rows).encode()) + 3
    line = 2
    for part in parts:
        body = part.content.removeprefix(b"id\n")
        assert part.first_line == line
        assert body.count(b'"') % 2 == 0
        line += body.count(b"\n")
