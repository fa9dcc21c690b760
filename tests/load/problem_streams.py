"""Streams of feedback whose problems are known: texts of labelled sets, noise, and look-alikes.

One label is one problem. Every text is read by the shipped model first, as the scoring service does.
"""

import asyncio
import gzip
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heardback_scoring.evaluation.subject import Subject, open_subject
from tests.support.clock import NOON

PROBLEMS, CHATTER = ("banking77", "bitext_customer_support"), "goemotions"
MISTYPED = 0.25
"""Share of the texts that are sent with typing mistakes."""
TYPO_EVERY = 25
DAYS = 7.0
"""All of a stream arrives in these days, look-alikes outside the window aside."""
OUTSIDE = timedelta(days=60)


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """One text as the model read it."""

    text: str
    cause: str | None
    confidence: float
    vector: NDArray[np.float16]


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """One feedback of a stream. Only events of one `problem` and tenant are truly together; None: noise."""

    number: int
    said: Said
    problem: str | None
    at: datetime
    tenant: str = "default"
    context: dict[str, str] = field(default_factory=dict)
    look_alike: str | None = None
    """What kind of look-alike it is, if it is one."""
    twins: str | None = None
    """Two events with equal twins look alike and are never together, whatever their problem."""


# (as it was said, as another thing was said in nearly the same words): those of train, with which the
# comparison of wordings was made, and those of dev, written before it was first tried on them.
TRAIN_PAIRS: tuple[tuple[str, str], ...] = (
    ("My refund has not arrived yet.", "My refund has arrived already."),
    ("I cannot log in since the update.", "I can log in again since the update."),
    ("The app crashes when I open the camera.", "The app crashes when I open the calendar."),
    ("I was charged twice for my order.", "I was not charged for my order."),
    ("The delivery came a week late.", "The delivery came a week early."),
    ("My card payment was declined.", "My card payment was accepted."),
    ("Please cancel my subscription.", "Please do not cancel my subscription."),
    ("The left earphone has no sound.", "The right earphone has no sound."),
    ("My parcel is missing the charger.", "My parcel is missing the headphones."),
    ("The invoice shows the wrong address.", "The invoice shows the wrong amount."),
    (
        "The transfer to my brother has not gone through.",
        "The transfer to my brother has gone through twice.",
    ),
    ("The price went up without any notice.", "The price went down without any notice."),
    ("The search is slow on my phone.", "The search is slow on my laptop."),
    ("Exporting to PDF fails every time.", "Exporting to CSV fails every time."),
    ("I cannot change my e-mail address.", "I cannot change my phone number."),
    ("The washing machine leaks water.", "The dishwasher leaks water."),
    ("The agent was very friendly.", "The agent was very unfriendly."),
    ("I never received my new card.", "I never received my PIN."),
    ("The discount code was not applied.", "The gift card was not applied."),
    ("Your courier left my parcel with a neighbour.", "Your courier left my parcel in the rain."),
)
DEV_PAIRS: tuple[tuple[str, str], ...] = (
    ("My cash withdrawal was declined at the machine.", "My cash deposit was declined at the machine."),
    ("The top-up appeared on my account.", "The top-up never appeared on my account."),
    ("How do I unblock my card?", "How do I block my card?"),
    ("I want to close my business account.", "I want to open a business account."),
    ("The video freezes but the sound goes on.", "The sound stops but the video goes on."),
    ("I would like to add a second seat to the plan.", "I would like to remove a second seat from the plan."),
    ("The driver came too early.", "The driver came too late."),
    ("Your hotline hung up on me.", "Your chat hung up on me."),
    ("The coffee machine does not heat the water.", "The kettle does not heat the water."),
    ("The report shows no data for March.", "The report shows no data for June."),
    ("I was promised a call back on Monday.", "I was promised a voucher on Monday."),
    ("The screen is cracked on arrival.", "The case is cracked on arrival."),
    ("The Android app closes when I sign in.", "The Android app closes when I take a photo."),
    ("My bonus was paid out.", "My bonus was not paid out."),
    ("You charged me for shipping.", "You charged me for returning."),
    ("I cannot upload my passport.", "I cannot download my invoice."),
    ("The seats on the train were double booked.", "The rooms in the hotel were double booked."),
    ("Please change the delivery to Friday.", "Please change the delivery to my office."),
    ("The exchange rate was worse than promised.", "The exchange rate was better than promised."),
    ("Dark mode makes the text unreadable.", "Print mode makes the text unreadable."),
)
PAIRS = {"train": TRAIN_PAIRS, "dev": DEV_PAIRS, "test": DEV_PAIRS}


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What the model made of all texts a set of streams is drawn from."""

    labelled: tuple[tuple[str, Said, Said], ...]
    """(label, as written, with typing mistakes)"""
    chatter: tuple[Said, ...]
    near_same: tuple[tuple[Said, Said], ...]


def read(data: Path, name: str, split: str) -> Reading:
    """Reads all texts of the split with the shipped model. Blocking, minutes."""
    return asyncio.run(_read(data, name, split))


async def _read(data: Path, name: str, split: str) -> Reading:
    rows = _rows(data, name, split)
    chance = random.Random(f"{name} {split}")
    texts = [row["text"] for row in rows]
    async with open_subject("default") as subject:
        written = await _said(subject, texts)
        mistyped = await _said(subject, [_mistyped(text, chance) for text in texts])
        chatter = await _said(subject, [row["text"] for row in _rows(data, CHATTER, split)[:2_000]])
        pairs = await _said(subject, [text for pair in PAIRS[split] for text in pair])
    labels = [row["label"] for row in rows]
    return Reading(
        tuple(zip(labels, written, mistyped, strict=True)),
        tuple(chatter),
        tuple(zip(pairs[::2], pairs[1::2], strict=True)),
    )


async def _said(subject: Subject, texts: Sequence[str]) -> list[Said]:
    scores = await subject.scores([{"text": text} for text in texts])
    vectors = await subject.vectors(texts)
    found = []
    for text, score, vector in zip(texts, scores, vectors, strict=True):
        cause = score.root_causes[0] if score.root_causes else None
        path, confidence = (cause.path, cause.confidence) if cause else (None, 0.0)
        found.append(Said(text, path, confidence, np.asarray(vector, np.float16)))
    subject.forget()
    return found


def stream(reading: Reading, size: int, seed: int) -> list[Event]:
    """`size` feedbacks about known problems, half as much chatter, and look-alikes, in order of arrival."""
    chance = random.Random(seed)
    drawn = chance.sample(range(len(reading.labelled)), min(size, len(reading.labelled)))
    events: list[dict[str, Any]] = []
    for row in drawn:
        label, written, mistyped = reading.labelled[row]
        said = mistyped if chance.random() < MISTYPED else written
        events.append({"said": said, "problem": label, "at": _some_time(chance)})
    some = min(size // 2, len(reading.chatter))
    events += [
        {"said": s, "problem": None, "at": _some_time(chance)} for s in chance.sample(reading.chatter, some)
    ]
    events += _look_alikes(reading, drawn, chance)
    events.sort(key=lambda e: e["at"])
    return [Event(number, **event) for number, event in enumerate(events)]


def _look_alikes(reading: Reading, drawn: Sequence[int], chance: random.Random) -> list[dict[str, Any]]:
    """Same words about another release or order, of another tenant, long after; near words, other things."""
    found = []
    for number, row in enumerate(chance.sample(list(drawn), min(80, len(drawn)))):
        label, written, _ = reading.labelled[row]
        kind = ("release", "order", "tenant", "window")[number % 4]
        for twin in range(2):
            event: dict[str, Any] = {
                "said": written,
                "problem": label,
                "at": _some_time(chance),
                "look_alike": kind,
                "twins": f"{kind} {number}",
            }
            if kind in {"release", "order"}:
                event["context"] = {kind: f"{number}.{twin}"}
            elif kind == "tenant":
                event["tenant"] = f"tenant {number} {twin}"
            else:
                # Among themselves, or others of the problem would come between and rightly tie them.
                event["tenant"] = f"window {number}"
                event["at"] += OUTSIDE * twin
            found.append(event)
    for number, pair in enumerate(reading.near_same):
        for twin, said in enumerate(pair):
            event = {"said": said, "problem": f"near {number} {twin}", "at": _some_time(chance)}
            alike = {"look_alike": "near-same", "twins": f"near {number}", "tenant": "near"}
            found.append({**event, **alike})
    return found


def _some_time(chance: random.Random) -> datetime:
    return NOON + timedelta(days=chance.uniform(0, DAYS))


def _mistyped(text: str, chance: random.Random) -> str:
    letters = list(text)
    for _ in range(max(1, len(letters) // TYPO_EVERY)):
        place = chance.randrange(len(letters))
        match chance.choice(("swap", "drop", "double")):
            case "swap" if place + 1 < len(letters):
                letters[place : place + 2] = letters[place + 1], letters[place]
            case "drop" if len(letters) > 3:
                del letters[place]
            case _:
                letters.insert(place, letters[place])
    return "".join(letters)


def _rows(data: Path, name: str, split: str) -> list[dict[str, Any]]:
    with gzip.open(data / name / f"{split}.jsonl.gz", "rt", encoding="utf8") as lines:
        return [json.loads(line) for line in lines]
