"""The model by itself: every text of a JSON array on stdin, in one process, batched as in the service."""

import asyncio
import json
import sys
from time import perf_counter

from heardback_scoring.inference.thread import InferenceThread
from heardback_scoring.models.store import load_scorer


async def measure(texts: list[str]) -> float:
    scorer = load_scorer()
    runner = InferenceThread(scorer)
    await runner.read(texts[:64])
    started = perf_counter()
    await runner.read(texts)
    took = perf_counter() - started
    await runner.close()
    return len(texts) / took


def main() -> None:
    rate = asyncio.run(measure(json.loads(sys.stdin.read())))
    sys.stdout.write(json.dumps({"texts_per_second": rate}) + "\n")


if __name__ == "__main__":
    main()
