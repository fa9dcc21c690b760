"""Rated conversations, read as the service reads them."""

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from heardback_scoring.adapters.inline_reader import InlineReader
from heardback_scoring.adapters.policy_files import load_policies
from heardback_scoring.adapters.py3langid_guesser import Py3langidGuesser
from heardback_scoring.app.dialogue import dialogue_of
from heardback_scoring.app.listening import Heard, listen
from heardback_scoring.app.understanding import Understanding
from heardback_scoring.domain import sentiment
from heardback_scoring.domain.cues import CueFinder
from heardback_scoring.domain.root_cause import KeywordTaxonomy
from heardback_scoring.domain.satisfaction import Dialogue
from heardback_scoring.inference.lexicon import LexiconScorer
from heardback_scoring.inference.ports import Scorer, TextReading
from heardback_scoring.training.readings import KeptReadings
from heardback_shared.contracts.feedback import FeedbackContent, Turn

Split = Literal["train", "dev"]


@dataclass(frozen=True, slots=True)
class RatedSet:
    """`field` holds the mean rating: `middle` is neither content nor not, `best` the top of the scale."""

    name: str
    field: str
    middle: float
    best: float
    flag: Literal["green", "amber"]
    licence: str

    def rating(self, row: dict[str, Any]) -> float:
        """−1…1."""
        return (float(row[self.field]) - self.middle) / (self.best - self.middle)


HELPDESK = RatedSet("stc3_helpdesk_en", "satisfaction", 0, 2, "amber", "ratings CC BY 4.0, text unclear")
TASKS = RatedSet("uss_sgd", "overall", 3, 5, "amber", "unclear; the dialogues CC BY-SA 4.0")
MEASURED_ONLY = (
    RatedSet("uss_redial", "overall", 3, 5, "amber", "unclear"),
    RatedSet("uss_ccpe", "overall", 3, 5, "amber", "unclear"),
)


@dataclass(frozen=True, slots=True)
class Rated:
    """`formula` is what the stated formula says of each: the figure to beat."""

    dialogues: list[Dialogue]
    ratings: NDArray[np.float64]
    formula: NDArray[np.float64]


class DialogueReader:
    """Listens and reads as the service does, with readings kept on disk."""

    def __init__(self, scorer: Scorer, cache: Path, progress: Progress) -> None:
        policies = load_policies()
        self._kept = KeptReadings(scorer, cache)
        self._progress = progress
        self._by = Understanding(
            policies=policies,
            guesser=Py3langidGuesser(),
            reader=InlineReader(scorer),
            fallback=LexiconScorer(),
            cues=CueFinder(()),
            keywords=KeywordTaxonomy(policies.taxonomy),
        )

    def rated(self, data: Path, source: RatedSet, split: Split) -> Rated | None:
        """None if the set is not under `data`; conversations in which nothing can be read are left out."""
        path = data / source.name / f"{split}.jsonl.gz"
        if not path.is_file():
            return None
        with gzip.open(path, "rt", encoding="utf8") as lines:
            rows = [json.loads(line) for line in lines]
        contents = [_content(row["turns"]) for row in rows]
        heard = [listen(content, self._by) for content in contents]
        texts = [said.spoken for one in heard for said in one.said]
        readings = self._kept.read(texts, f"{source.name} {split}", self._progress)
        found = [
            (dialogue, source.rating(row), self._formula(one, readings))
            for row, content, one in zip(rows, contents, heard, strict=True)
            if (dialogue := dialogue_of(content, one.said, [readings[s.spoken] for s in one.said]))
        ]
        dialogues, ratings, formula = zip(*found, strict=True)
        return Rated(list(dialogues), np.array(ratings), np.array(formula))

    def read(self, conversations: Sequence[Sequence[tuple[str, str]]], title: str) -> list[Dialogue]:
        """Conversations given as (role, text); each must hold something readable."""
        contents = [_content([{"role": r, "text": t} for r, t in turns]) for turns in conversations]
        heard = [listen(content, self._by) for content in contents]
        readings = self._kept.read([s.spoken for h in heard for s in h.said], title, self._progress)
        found = [
            dialogue_of(content, one.said, [readings[s.spoken] for s in one.said])
            for content, one in zip(contents, heard, strict=True)
        ]
        return [dialogue for dialogue in found if dialogue is not None]

    def _formula(self, heard: Heard, readings: dict[str, TextReading]) -> float:
        policy = self._by.policies.sentiment
        turns = [
            sentiment.ReadTurn(s.index, len(s.text.words), r.negative, r.neutral, r.positive)
            for s in heard.said
            for r in (readings[s.spoken],)
        ]
        whole, path = sentiment.overall(turns, policy), sentiment.trajectory(turns, policy)
        value = sentiment.satisfaction(
            policy, sentiment=whole.score if whole else None, metric_share=None, path=path
        )
        return value or 0.0


def _content(turns: Sequence[dict[str, Any]]) -> FeedbackContent:
    return FeedbackContent(
        kind="transcript",
        source="training",
        external_id="1",
        revision=1,
        turns=tuple(Turn(role=turn["role"], text=turn["text"]) for turn in turns),
    )
