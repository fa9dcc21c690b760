"""Import customers from a file: try it first, take it in parts, go on where it broke off."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Any

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.app.customers import KeepCustomers, Telling, Told
from heardback_ingest.customer_ports import Import, Imports
from heardback_ingest.domain.importing import ID, FieldChange, Row, changes
from heardback_shared.clock import Clock
from heardback_shared.contracts.customer import CustomerUpdated
from heardback_shared.db.database import Database
from heardback_shared.http.problems import field_errors
from heardback_shared.ids import new_id

CHUNK = 200
"""Rows per transaction."""
KEPT_REFUSALS = 1_000
"""Refused rows an import remembers; all are counted."""
OUTCOMES = ("new", "changed", "unchanged", "refused")


class OtherImportError(Exception):
    """The import was begun for another source."""


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of one row. `errors` only when refused: (JSON pointer, what to send instead)."""

    line: int
    outcome: str
    customer_id: str | None = None
    changes: tuple[FieldChange, ...] = ()
    errors: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Imported:
    import_id: str | None
    """None on a dry run."""
    results: tuple[RowResult, ...] = field(repr=False)
    total: Import | None = None

    @property
    def counts(self) -> dict[str, int]:
        return _counts(r.outcome for r in self.results)


class ImportCustomers:
    def __init__(self, database: Database, imports: Imports, customers: KeepCustomers, clock: Clock) -> None:
        self._database = database
        self._imports = imports
        self._customers = customers
        self._clock = clock

    async def show(self, tenant_id: str, import_id: str) -> Import | None:
        async with self._database.tenant(tenant_id) as c:
            return await self._imports.get(c, tenant_id, import_id)

    async def __call__(
        self,
        tenant_id: str,
        source: str,
        rows: Iterable[Row],
        actor: str,
        *,
        dry_run: bool,
        import_id: str | None = None,
        at: datetime | None = None,
    ) -> Imported:
        """Each chunk of rows, and how far the import has come, is one transaction. A row sent again changes
        nothing: all facts of an import are as of the same moment, that of its beginning unless `at` or the
        row says otherwise. Raises OtherImportError.

        A dry run keeps nothing. Each chunk is tried on what is stored, so that a customer who stands in two
        chunks of a file is new in both.
        """
        kept = None if dry_run else await self._begin(tenant_id, source, actor, import_id, at)
        as_of = kept.as_of if kept else at
        results: list[RowResult] = []
        every = iter(rows)
        while chunk := list(islice(every, CHUNK)):
            read = [(row, _read(row, source, as_of)) for row in chunk]
            fine = [telling for _, telling in read if isinstance(telling, Telling)]
            if kept is None:
                told = await self._customers.tell(tenant_id, fine, dry_run=True) if fine else []
                results += _results(read, told)
                continue
            async with self._database.tenant(tenant_id) as c:
                told = await self._customers.tell_within(c, tenant_id, fine) if fine else []
                done = _results(read, told)
                kept = await self._progress(c, tenant_id, kept.id, done)
            results += done
            self._customers.measure([t for t, o in zip(fine, told, strict=True) if not o.refused])
        return Imported(kept.id if kept else None, tuple(results), kept)

    async def _begin(
        self, tenant_id: str, source: str, actor: str, import_id: str | None, at: datetime | None
    ) -> Import:
        now = self._clock.now()
        async with self._database.tenant(tenant_id) as c:
            known = await self._imports.get(c, tenant_id, import_id) if import_id else None
            if known is not None:
                if known.source != source:
                    raise OtherImportError
                return known
            counts = dict.fromkeys(OUTCOMES, 0)
            begun = Import(import_id or new_id("im"), source, at or now, counts, 0, (), actor, now, now)
            await self._imports.put(c, tenant_id, begun)
        return begun

    async def _progress(
        self, c: AsyncConnection, tenant_id: str, import_id: str, done: list[RowResult]
    ) -> Import:
        kept = await self._imports.get(c, tenant_id, import_id, for_update=True)
        assert kept is not None
        fresh = [r for r in done if r.line > kept.last_line]  # one sent again was counted before
        counts = Counter(kept.counts) + Counter(_counts(r.outcome for r in fresh))
        refused = (*kept.refused, *(_finding(r) for r in fresh if r.outcome == "refused"))
        kept = replace(
            kept,
            counts={name: counts[name] for name in OUTCOMES},
            last_line=max(kept.last_line, done[-1].line),
            refused=refused[:KEPT_REFUSALS],
            updated_at=self._clock.now(),
        )
        await self._imports.put(c, tenant_id, kept)
        return kept


Read = Telling | tuple[tuple[str, str], ...]
"""A row that could be read, or what is wrong with it."""


def _results(read: list[tuple[Row, Read]], told: list[Told]) -> list[RowResult]:
    given = iter(told)
    return [
        _result(row, telling, next(given))
        if isinstance(telling, Telling)
        else RowResult(row.line, "refused", errors=telling)
        for row, telling in read
    ]


def _read(row: Row, source: str, at: datetime | None) -> Read:
    if row.broken is not None:
        return (("", row.broken),)
    fields = {("customer_id" if n == ID else n): v for n, v in row.fields.items()}
    try:
        told = CustomerUpdated.model_validate({"source": source} | fields)
    except ValidationError as error:
        return tuple((p.replace("/customer_id", f"/{ID}"), d) for p, d in field_errors(error))
    if "\x00" in str(row.fields):
        return (("", "must not contain the character U+0000"),)
    facts = told.facts()
    if not facts:
        return (("", f"tells nothing besides {ID}"),)
    return Telling(told.customer_id, facts, told.source, told.at or at, told.provenance)


def _result(row: Row, telling: Telling, told: Told) -> RowResult:
    if told.refused:
        return RowResult(row.line, "refused", told.customer_id, errors=told.refused)
    changed = changes(told.before, told.after, telling.facts)
    outcome = "new" if told.before is None else "changed" if changed else "unchanged"
    return RowResult(row.line, outcome, told.customer_id, changed)


def _counts(outcomes: Iterable[str]) -> dict[str, int]:
    found = Counter(outcomes)
    return {name: found[name] for name in OUTCOMES}


def _finding(result: RowResult) -> Mapping[str, Any]:
    return {"line": result.line, "errors": [{"pointer": p, "detail": d} for p, d in result.errors]}
