"""What a model reads of many texts, kept on disk by the model's hash and the texts."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.progress import Progress

from heardback_scoring.inference.ports import Scorer, TextReading

CHUNK = 1024


class KeptReadings:
    """Reads each distinct text once per model; an interrupted run goes on where it was."""

    def __init__(self, scorer: Scorer, cache: Path) -> None:
        self._scorer = scorer
        self._folder = cache / scorer.model.sha256[:16]

    def read(self, texts: Sequence[str], title: str, progress: Progress) -> dict[str, TextReading]:
        """The reading of every text. Embeddings come back through 16 bits. Raises ValueError without them."""
        distinct = sorted(set(texts))
        task = progress.add_task(title, total=len(distinct))
        found: dict[str, TextReading] = {}
        for start in range(0, len(distinct), CHUNK):
            chunk = distinct[start : start + CHUNK]
            found.update(zip(chunk, self._chunk(chunk), strict=True))
            progress.advance(task, len(chunk))
        return found

    def _chunk(self, texts: Sequence[str]) -> list[TextReading]:
        key = hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()[:24]
        path = self._folder / f"{key}.npz"
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(".partial.npz")
            self._save(partial, self._scorer.read(texts))
            partial.replace(path)
        with np.load(path, allow_pickle=False) as stored:
            cues = [str(name) for name in stored["cue_names"]]
            return [
                TextReading(negative, neutral, positive, embedding, dict(zip(cues, values, strict=True)))
                for (negative, neutral, positive), embedding, values in zip(
                    stored["moods"].tolist(),
                    stored["embeddings"].astype(np.float32),
                    stored["cues"].tolist(),
                    strict=True,
                )
            ]

    def _save(self, path: Path, readings: Sequence[TextReading]) -> None:
        embeddings = [r.embedding for r in readings if r.embedding is not None]
        if len(embeddings) != len(readings):
            raise ValueError(f"model {self._scorer.model.name} gives no embeddings")
        names = sorted({name for r in readings for name in r.cues})
        np.savez(
            path,
            moods=np.array([(r.negative, r.neutral, r.positive) for r in readings]),
            embeddings=np.stack(embeddings).astype(np.float16),
            cue_names=np.array(names, dtype=np.str_),
            cues=np.array([[r.cues.get(n, 0.0) for n in names] for r in readings]).reshape(len(readings), -1),
        )
