"""Pooled features of every text, kept on disk so that an interrupted run goes on where it was."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from rich.progress import Progress
from tokenizers import Tokenizer

from heardback_scoring.inference.batching import plan_batches

CHUNK = 2048
Features = dict[str, NDArray[np.float32]]


@dataclass
class PoolReader:
    """Runs a headless model (see `graph.build_model`) over texts; results under `cache` by content."""

    model: bytes
    tokenizer: Path
    cache: Path
    max_tokens: int = 256
    budget: int = 256

    def __post_init__(self) -> None:
        options = ort.SessionOptions()
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = ort.InferenceSession(self.model, options, providers=["CPUExecutionProvider"])
        self._names = [output.name for output in self._session.get_outputs()]
        self._tokenizer = Tokenizer.from_file(str(self.tokenizer))
        self._tokenizer.enable_truncation(self.max_tokens)
        self._tokenizer.no_padding()
        self._digest = hashlib.sha256(self.model).hexdigest()[:16]

    def read(self, texts: Sequence[str], title: str, progress: Progress) -> Features:
        """Every pool by name, one row per text, in order."""
        task = progress.add_task(title, total=len(texts))
        parts = []
        for start in range(0, len(texts), CHUNK):
            chunk = texts[start : start + CHUNK]
            parts.append(self._chunk(chunk))
            progress.advance(task, len(chunk))
        return {name: np.concatenate([part[name] for part in parts]) for name in self._names}

    def _chunk(self, texts: Sequence[str]) -> Features:
        key = hashlib.sha256("\0".join(texts).encode()).hexdigest()[:24]
        path = self.cache / self._digest / f"{key}.npz"
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            found = {name: array.astype(np.float16) for name, array in self._compute(texts).items()}
            partial = path.with_suffix(".partial.npz")
            np.savez(partial, **found)  # type: ignore[arg-type]
            partial.replace(path)
        with np.load(path) as stored:
            return {name: stored[name].astype(np.float32) for name in self._names}

    def _compute(self, texts: Sequence[str]) -> Features:
        encoded = self._tokenizer.encode_batch_fast(list(texts))
        lengths = [len(item.ids) for item in encoded]
        out: dict[str, NDArray[np.float32]] = {}
        for batch in plan_batches(lengths, self.budget):
            ids = np.zeros((len(batch), max(lengths[i] for i in batch)), np.int64)
            mask = np.zeros_like(ids)
            for row, index in enumerate(batch):
                ids[row, : lengths[index]] = encoded[index].ids
                mask[row, : lengths[index]] = 1
            results = self._session.run(self._names, {"input_ids": ids, "attention_mask": mask})
            for name, result in zip(self._names, results, strict=True):
                table = out.setdefault(name, np.empty((len(texts), result.shape[1]), np.float32))
                table[batch] = result
        return out
