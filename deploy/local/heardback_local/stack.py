"""The whole of heardback on one machine, as processes: PostgreSQL, broker, and the three services."""

import asyncio
import os
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from heardback_local import first_start
from heardback_local.addresses import HOST, SERVICES, Ports, port_is_taken
from heardback_local.broker import DEFAULT_MEMORY_LIMIT_MB, EmbeddedBroker
from heardback_local.broker_memory import BrokerMemoryGuard, Traffic
from heardback_local.child import Child, Program, Say
from heardback_local.failures import MendableError
from heardback_local.folder import MODELS, DataFolder
from heardback_local.lag import look_at_broker
from heardback_local.ledger import read_ledger
from heardback_local.postgres import EmbeddedPostgres
from heardback_local.readiness import wait_until_ready
from heardback_shared.contracts import topics
from heardback_shared.settings import KafkaSettings

READY_WITHIN_SECONDS = 120.0
_WATCH_SECONDS = 5.0
_DEATHS_BEFORE_GIVING_UP = 4


class StackError(MendableError):
    """The stack cannot start. The message says what to do."""


def quiet(_: str) -> None:
    """Says nothing."""


class LocalStack:
    """Starts everything in order, keeps it alive, stops it in order. One folder holds its data.

    `commands` replaces the command of a service; `environment` adds to (or overrides) what services read.
    `durable=False` is for throw-away data only.
    """

    def __init__(
        self,
        folder: Path,
        *,
        ports: Ports | None = None,
        environment: Mapping[str, str] | None = None,
        commands: Mapping[str, tuple[str, ...]] | None = None,
        say: Say = quiet,
        durable: bool = True,
    ) -> None:
        self.folder = DataFolder(folder)
        self.ports = ports or Ports.free()
        self.admin_key: str | None = None
        """The key made at the first start of this folder; None later, since only its hash is kept."""
        self._extra = dict(environment or {})
        self._commands = dict(commands or {})
        self.say = say
        """Where progress is told."""
        logs = self.folder.logs
        self.postgres = EmbeddedPostgres(self.folder.root, logs / "postgres.log", say, durable=durable)
        self.broker = EmbeddedBroker(self.ports.kafka, logs / "broker.log", say, self._make_topics)
        self.services: dict[str, Child] = {}
        self._guard: asyncio.Task[None] | None = None

    @property
    def database_url(self) -> str:
        return self.postgres.url()

    @property
    def kafka_address(self) -> str:
        return self.broker.address

    def url(self, service: str) -> str:
        """Where `service` (ingest, scoring, router) answers HTTP."""
        return f"http://{HOST}:{self.ports.of(service)}"

    @property
    def ingest_url(self) -> str:
        return self.url("ingest")

    @property
    def scoring_url(self) -> str:
        return self.url("scoring")

    @property
    def router_url(self) -> str:
        return self.url("router")

    def environment(self) -> dict[str, str]:
        """What the services read, secrets included."""
        return {
            "HEARDBACK_DATABASE_URL": self.database_url,
            "HEARDBACK_KAFKA_BOOTSTRAP_SERVERS": self.kafka_address,
            "HEARDBACK_KAFKA_FETCH_MAX_WAIT_MS": "10",  # the embedded broker answers a fetch late
            "HEARDBACK_KAFKA_ENABLE_IDEMPOTENCE": "false",  # and knows no idempotent producer
            "HEARDBACK_SECRET_KEY": self.folder.secret_key(),
            "HEARDBACK_HOST": HOST,
            "HEARDBACK_INGEST_PORT": str(self.ports.ingest),
            "HEARDBACK_SCORING_PORT": str(self.ports.scoring),
            "HEARDBACK_ROUTER_PORT": str(self.ports.router),
            "HEARDBACK_SCORING_REGISTRY": os.environ.get(
                "HEARDBACK_SCORING_REGISTRY", str(self.folder.root / MODELS)
            ),
            "HEARDBACK_ROUTER_PUBLIC_URL": self.router_url,
            "HEARDBACK_ROUTER_SCORING_URL": self.scoring_url,
            "HEARDBACK_ROUTER_INGEST_URL": self.ingest_url,
            "HEARDBACK_INGEST_ROUTER_URL": self.router_url,
            "HEARDBACK_WEBHOOK_ALLOW_LOOPBACK": "true",
            **self._extra,
        }

    async def start(self) -> None:
        """Everything is up and ready when this returns. On failure everything is stopped again."""
        self.folder.claim()
        self.folder.forget_environment()  # that of a run which was killed
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Services drain first, then the broker, then PostgreSQL. Safe to call twice."""
        if self._guard is not None:
            self._guard.cancel()
            await asyncio.gather(self._guard, return_exceptions=True)
            self._guard = None
        self.folder.forget_environment()
        await asyncio.gather(*(service.stop() for service in self.services.values()))
        await self.broker.stop()
        await self.postgres.stop()
        self.folder.note_children([])
        self.folder.release()

    def kill_everything(self) -> None:
        """SIGKILL to all of them. PostgreSQL comes back from its own log at the next start."""
        for child in (*self.services.values(), self.broker.child, self.postgres.child):
            child.kill()

    def child(self, name: str) -> Child:
        """One of ingest, scoring, router, broker, postgres."""
        return {"broker": self.broker.child, "postgres": self.postgres.child, **self.services}[name]

    def kill(self, name: str) -> None:
        """SIGKILL. The supervisor starts it again; see `wait_until_ready`."""
        self.child(name).kill()

    async def restart(self, name: str) -> None:
        """Stops one service gracefully and starts it again; returns when it is ready."""
        await self.services[name].restart()
        await self._wait_for_services((name,))

    async def wait_until_ready(self) -> None:
        """All three services answer that they are ready, however often they had to be started again."""
        await self._wait_for_services(SERVICES, patient=True)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _start(self) -> None:
        await self._end_leftovers()
        self._refuse_taken_ports()
        self.say("starting PostgreSQL and the broker")
        await asyncio.gather(self.postgres.start(), self.broker.start())
        self.say("bringing the database up to date")
        await first_start.migrate(self.database_url)
        self.admin_key = await first_start.admin_key_once(self.folder.root, self.environment())
        self.say("starting ingest, scoring and router")
        for name in SERVICES:
            self.services[name] = Child(self._service(name), self.folder.logs / f"{name}.log", self.say)
            await self.services[name].start()
        self._note_children()
        await self._wait_for_services(SERVICES)
        public = {k: v for k, v in self.environment().items() if k != "HEARDBACK_SECRET_KEY"}
        self.folder.note_environment(public)
        self._guard = asyncio.create_task(self._watch(), name="watch the stack")

    async def _watch(self) -> None:
        limit = int(os.environ.get("HEARDBACK_BROKER_MEMORY_LIMIT_MB", DEFAULT_MEMORY_LIMIT_MB))
        guard = BrokerMemoryGuard(self.broker, limit * 2**20, self._measure_traffic, self.say)
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            self._note_children()
            try:
                await guard.look()
            except Exception as error:  # a look that failed is no reason to stop looking
                self.say(f"the broker's memory could not be looked after: {error}")

    async def _measure_traffic(self) -> Traffic:
        settings = KafkaSettings(bootstrap_servers=self.kafka_address, security_protocol="PLAINTEXT")
        broker, ledger = await asyncio.gather(look_at_broker(settings), read_ledger(self.database_url))
        return Traffic(ledger.in_flight, broker.records(), broker.records(topics.SUBMITTED.name))

    def _note_children(self) -> None:
        children = (self.broker.child, *self.services.values())
        self.folder.note_children(child.pid for child in children if child.pid is not None)

    async def _end_leftovers(self) -> None:
        """A supervisor that was killed leaves its children running, on our ports."""
        leftovers = self.folder.children()
        for process in leftovers:
            self.say(f"ending process {process.pid}, left over from a run that was killed")
            process.kill()
        for process in leftovers:
            await asyncio.to_thread(process.wait, 10)

    def _refuse_taken_ports(self) -> None:
        taken = [self.ports.of(s) for s in SERVICES if port_is_taken(self.ports.of(s))]
        if taken:
            numbers = ", ".join(str(port) for port in taken)
            raise StackError(f"port {numbers} taken by another program; give another --port-base")

    async def _make_topics(self) -> None:
        await first_start.make_topics(self.kafka_address)

    async def _wait_for_services(self, names: tuple[str, ...], *, patient: bool = False) -> None:
        """`patient`: a service that has died often may yet come up; at a start it would not."""
        async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
            await asyncio.gather(
                *(
                    wait_until_ready(
                        client,
                        self.url(name),
                        within_seconds=READY_WITHIN_SECONDS,
                        gave_up=partial(self._gave_up, name, patient),
                    )
                    for name in names
                )
            )

    def _gave_up(self, name: str, patient: bool) -> str | None:
        child = self.services[name]
        if patient or child.deaths < _DEATHS_BEFORE_GIVING_UP:
            return None
        return (
            f"{name} ended {child.deaths} times in a row ({child.log}); its last words:\n{child.last_lines()}"
        )

    def _service(self, name: str) -> Program:
        paths = [path for path in sys.path if path and Path(path).is_dir()]
        return Program(
            name=name,
            command=self._commands.get(name, (sys.executable, "-m", "heardback_local.cli", name)),
            # What we can import, they can: an uninstalled checkout runs as an installed one does.
            environment={**_inherited(), "PYTHONPATH": os.pathsep.join(paths), **self.environment()},
            stop_within_seconds=25.0,
        )


def _inherited() -> dict[str, str]:
    """Our environment without a person's own database and broker: this stack brings its own."""
    theirs = ("HEARDBACK_DATABASE_", "HEARDBACK_KAFKA_")
    return {name: value for name, value in os.environ.items() if not name.startswith(theirs)}
