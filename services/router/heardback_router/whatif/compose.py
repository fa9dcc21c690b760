"""Puts together how policies change: versions, what-ifs, and what applies them to open items."""

from collections.abc import Iterable, Mapping

from fastapi import APIRouter

from heardback_router.configuration.app import Versions
from heardback_router.configuration.applying import Apply, ApplyToOpen
from heardback_router.configuration.http import configuration_routes
from heardback_router.configuration.owners import INGEST_URL, Owner, Owners, ScoringClient
from heardback_router.configuration.store import PostgresVersions
from heardback_router.configuration.stored import StoredPolicies
from heardback_router.whatif.app import WhatIfs
from heardback_router.whatif.clocks import LogClocks
from heardback_router.whatif.domain import REPLAYED
from heardback_router.whatif.http import what_if_routes
from heardback_router.whatif.ports import Corrections
from heardback_router.whatif.runner import Runner
from heardback_router.whatif.steps import Steps
from heardback_router.whatif.store import PostgresWhatIfs
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database
from heardback_shared.db.outbox import Outbox
from heardback_shared.http.auth import Guard


class Changing:
    """`apply` lets a kind of policy count for open items too."""

    def __init__(
        self,
        database: Database,
        source: StoredPolicies,
        scoring: ScoringClient,
        ingest_url: str | None,
        outbox: Outbox,
        clock: Clock,
        *,
        apply: Mapping[str, Apply],
        corrections: Corrections,
    ) -> None:
        store, self.runs = PostgresVersions(), PostgresWhatIfs()
        readers = Owners(scoring, Owner("ingest", INGEST_URL, ingest_url))
        self.applying = ApplyToOpen(database, store, apply)
        self.versions = Versions(
            database,
            store,
            source,
            readers,
            self.runs,
            self.applying,
            outbox,
            clock,
            replayed=REPLAYED,
        )
        steps = Steps(database, self.runs, scoring, corrections, LogClocks())
        self.runner = Runner(database, self.runs, self.versions, steps, clock)
        self.what_ifs = WhatIfs(self.versions, self.runs, self.runner, readers, clock)

    def routers(self, guard: Guard) -> Iterable[APIRouter]:
        return (configuration_routes(self.versions, guard), what_if_routes(self.what_ifs, guard))
