"""The model by itself: every text of a JSON array on stdin, in one process, batched as in the service."""

import asyncio
import json
import sys
from time import perf_counter, process_time

from heardback_scoring.inference.thread import InferenceThread
from heardback_scoring.models.store import load_scorer


async def measure(texts: list[str]) -> dict[str, float]:
    """Texts per second, and microseconds of processor time for each, of all threads together."""
    scorer = load_scorer()
    runner = InferenceThread(scorer)
    await runner.read(texts[:64])
    started, worked = perf_counter(), process_time()
    await runner.read(texts)
    took, worked = perf_counter() - started, process_time() - worked
    await runner.close()
    return {"texts_per_second": len(texts) / took, "processor_us": round(worked / len(texts) * 1e6)}


def main() -> None:
    figures = asyncio.run(measure(json.loads(sys.stdin.read())))
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
