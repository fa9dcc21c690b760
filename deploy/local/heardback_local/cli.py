"""The console script `heardback`: one command per job. A service is imported only when it is asked for."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape

from heardback_local.cli_options import DataDir
from heardback_local.failures import MendableError
from heardback_local.target import DEFAULT_FOLDER
from heardback_shared.errors import TransientError

app = typer.Typer(
    name="heardback",
    help="Closes the loop on customer feedback.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # they show locals, which may hold keys
)
stderr = Console(stderr=True)


PortBase = Annotated[
    int, typer.Option(help="Ports of ingest, scoring and router: this one and the next two.")
]
KafkaPort = Annotated[int, typer.Option(help="Port of the embedded broker.")]


@app.command()
def run(data_dir: DataDir = DEFAULT_FOLDER, port_base: PortBase = 8701, kafka_port: KafkaPort = 9092) -> None:
    """Everything on this machine, staying up. Ctrl-C drains and stops; the data are kept."""
    from heardback_local.addresses import Ports
    from heardback_local.foreground import run_until_told

    raise typer.Exit(asyncio.run(run_until_told(data_dir, Ports.from_base(port_base, kafka_port), stderr)))


@app.command()
def demo(
    data_dir: Annotated[Path | None, typer.Option(help="Folder to use and keep.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
    keep: Annotated[bool, typer.Option(help="Stay up afterwards, until Ctrl-C.")] = False,
) -> None:
    """The whole loop once, on sample events: posted, scored, routed, resolved, told, answered."""
    from heardback_local.demo.command import run_demo

    raise typer.Exit(asyncio.run(run_demo(data_dir, as_json=as_json, keep=keep, stderr=stderr)))


@app.command()
def ingest() -> None:
    """The service that accepts feedback, against the database and broker of the environment."""
    from heardback_ingest.main import run as serve

    serve()


@app.command()
def scoring() -> None:
    """The service that reads feedback, against the broker of the environment."""
    from heardback_scoring.main import run as serve

    serve()


@app.command()
def router() -> None:
    """The service that owns backlogs and loops, against the database and broker of the environment."""
    from heardback_router.main import run as serve

    serve()


@app.command()
def migrate() -> None:
    """Brings the database named by HEARDBACK_DATABASE_URL to the newest schema."""
    from heardback_shared.db.migrate import migrate as bring_up_to_date
    from heardback_shared.settings import DatabaseSettings

    for schema, revision in asyncio.run(bring_up_to_date(DatabaseSettings())).items():
        typer.echo(f"{schema}: {revision}")


@app.command()
def topics() -> None:
    """Creates the topics that are missing on HEARDBACK_KAFKA_BOOTSTRAP_SERVERS."""
    from heardback_shared.settings import KafkaSettings
    from heardback_shared.stream.topics import create_topics

    created = asyncio.run(create_topics(KafkaSettings()))
    typer.echo("\n".join(created) if created else "every topic is there")


@app.command()
def doctor(
    data_dir: DataDir = DEFAULT_FOLDER,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Looks at everything and says what to do. Exit status 1 if something fails."""
    from heardback_local.doctor.command import run_doctor

    raise typer.Exit(asyncio.run(run_doctor(data_dir, as_json=as_json)))


def add_command_groups() -> None:
    from heardback_local.commands import (
        campaigns,
        customers,
        dead,
        keys,
        models,
        policies,
        routing,
        webhooks,
    )

    app.add_typer(keys.app, name="keys")
    app.add_typer(dead.app, name="dead")
    app.add_typer(customers.app, name="customers")
    app.add_typer(models.app, name="models")
    app.add_typer(routing.app, name="routing")
    app.add_typer(policies.app, name="policies")
    app.add_typer(campaigns.app, name="campaigns")
    app.add_typer(webhooks.app, name="webhooks")
    try:
        from heardback_scoring.cli import compare, evaluate, score, taxonomy
    except ImportError:  # an image of another service has no scoring dependencies
        return
    app.command("score")(score)
    app.command("eval")(evaluate)
    app.add_typer(taxonomy, name="taxonomy")
    models.app.command("compare")(compare)


def main() -> None:
    """Known errors end with their message; anything else is a bug and shows where."""
    add_command_groups()
    try:
        app()
    except (MendableError, TransientError, ValidationError) as error:
        stderr.print("[bold red]heardback:[/]", escape(str(error)), soft_wrap=True, highlight=False)
        sys.exit(1)


if __name__ == "__main__":
    main()
