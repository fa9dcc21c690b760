"""Importing customers from CSV or NDJSON: tried first, then taken, in parts if it is large."""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import StringConstraints

from heardback_ingest.app.imports import ImportCustomers, Imported, OtherImportError, RowResult
from heardback_ingest.customer_ports import Import
from heardback_ingest.domain.importing import ImportFormatError, Row, csv_rows, lines_of, ndjson_rows
from heardback_ingest.http.requests import NDJSON_TYPES, media_type
from heardback_shared.access.keys import Principal
from heardback_shared.contracts.base import Instant
from heardback_shared.errors import ProblemError
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid, not_found

MOST_LINES = 1_000_000_000
CSV_TYPES = ("text/csv",)
LISTED = 500
"""Rows that are listed one by one; all are counted."""
Source = Annotated[str, Query(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]
ImportId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Columns = Annotated[list[str], Query(alias="map", max_length=200)]
BODY = {"schema": {"type": "string"}}


def routes(guard: Guard, imports: ImportCustomers, *, max_rows: int) -> APIRouter:
    api = APIRouter(prefix="/v1", tags=["customers"])
    writer = Annotated[Principal, Depends(guard.needs("customers:write"))]
    reader = Annotated[Principal, Depends(guard.needs("customers:read"))]

    @api.post(
        "/customers:import",
        summary="Import customers from CSV or NDJSON, or try what it would change",
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"text/csv": BODY, "application/x-ndjson": BODY},
            }
        },
    )
    async def post_import(
        request: Request,
        principal: writer,
        source: Source,
        dry_run: bool = False,
        import_id: Annotated[ImportId | None, Query()] = None,
        at: Annotated[Instant | None, Query()] = None,
        first_line: Annotated[int, Query(ge=1, le=MOST_LINES)] = 1,
        columns: Columns = [],  # noqa: B006  FastAPI copies it
    ) -> dict[str, Any]:
        """`map=Column:field` names a column; `first_line` is the line of the file at which this part's rows
        begin, so that findings name the line of the file. A part sent again changes nothing."""
        media = media_type(request, *CSV_TYPES, *NDJSON_TYPES)
        written = _text(await request.body())
        rows = _rows(written, media in NDJSON_TYPES, _mapping(columns), first_line, max_rows)
        try:
            done = await imports(
                principal.tenant_id,
                source,
                rows,
                principal.name,
                dry_run=dry_run,
                import_id=import_id,
                at=at,
            )
        except OtherImportError as error:
            detail = "is that of an import from another source; begin a new one"
            raise invalid((("query:import_id", detail),)) from error
        return _view(done, dry_run)

    @api.get("/customer-imports/{import_id}", summary="How far an import has come, and what it refused")
    async def get_import(import_id: ImportId, principal: reader) -> dict[str, Any]:
        found = await imports.show(principal.tenant_id, import_id)
        if found is None:
            raise not_found("This import")
        return _progress(found)

    return api


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body[: error.start].count(b"\n") + 1
        raise invalid((("", f"is not UTF-8 in line {line}; save the file as UTF-8"),)) from error


def _mapping(columns: list[str]) -> dict[str, str]:
    mapping = {}
    for said in columns:
        column, colon, name = said.rpartition(":")
        if not colon or not column.strip():
            raise invalid((("query:map", "name a column and a field, such as map=Kundennummer:id"),))
        mapping[column.strip()] = name.strip()
    return mapping


def _rows(text: str, lines: bool, mapping: dict[str, str], first_line: int, max_rows: int) -> list[Row]:
    read: Iterator[Row] = (
        ndjson_rows(lines_of(text), mapping, first_line)
        if lines
        else csv_rows(lines_of(text), mapping, max(first_line - 1, 1))
    )
    rows: list[Row] = []
    try:
        for row in read:
            if len(rows) == max_rows:
                raise ProblemError(
                    413,
                    "too-large",
                    "The import is too large",
                    f"At most {max_rows} rows are taken at once; send it in parts.",
                )
            rows.append(row)
    except ImportFormatError as error:
        raise invalid((("", str(error)),)) from error
    return rows


def _view(done: Imported, dry_run: bool) -> dict[str, Any]:
    return {
        "import_id": done.import_id,
        "dry_run": dry_run,
        "rows": len(done.results),
        "counts": done.counts,
        "results": [_row(r) for r in done.results if r.outcome != "unchanged"][:LISTED],
        "progress": _progress(done.total) if done.total else None,
    }


def _row(result: RowResult) -> dict[str, Any]:
    shown: dict[str, Any] = {"line": result.line, "outcome": result.outcome, "id": result.customer_id}
    if result.changes:
        shown["changes"] = [{"field": x.name, "before": x.before, "after": x.after} for x in result.changes]
    if result.errors:
        shown["errors"] = [{"pointer": p, "detail": d} for p, d in result.errors]
    return shown


def _progress(kept: Import) -> dict[str, Any]:
    return {
        "id": kept.id,
        "source": kept.source,
        "as_of": kept.as_of,
        "counts": dict(kept.counts),
        "last_line": kept.last_line,
        "refused": list(kept.refused),
        "started_by": kept.started_by,
        "started_at": kept.started_at,
        "updated_at": kept.updated_at,
    }
