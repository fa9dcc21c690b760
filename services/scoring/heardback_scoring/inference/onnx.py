"""The default scorer: an ONNX encoder with a sentiment head, on onnxruntime, tokenizers and numpy alone."""

import os
from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from tokenizers import Tokenizer

from heardback_scoring.inference.batching import plan_batches
from heardback_scoring.inference.ports import TextReading
from heardback_scoring.inference.text import valid_unicode
from heardback_shared.contracts.score import ModelRef

MAX_CHARACTERS = 16_000
"""Of a longer text only its first and last half of this are tokenised; far more than the model can take."""
ERRORS_ONLY = 3


class OnnxScorer:
    """Reads texts with a model of inputs `input_ids`, `attention_mask` and outputs `embedding`, `logits`.

    `emotions` and `cues` name what the outputs of these names hold, as logits; without names there are none.

    A text longer than `max_tokens` is read by its beginning and its end, half of the tokens each: customers
    say what happened first and what they think of it last. What lies between is not read.
    """

    degraded = False

    def __init__(
        self,
        graph: bytes,
        tokenizer: bytes,
        *,
        model: ModelRef,
        max_tokens: int,
        temperature: float,
        emotions: Sequence[str] = (),
        cues: Sequence[str] = (),
        threads: int | None = None,
        token_budget: int = 256,
        cache_texts: int = 0,
    ) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads or available_cores()
        options.inter_op_num_threads = 1
        options.log_severity_level = ERRORS_ONLY
        # Other processes share the cores; a thread that spins while it waits would take them away.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session: ort.InferenceSession | None = ort.InferenceSession(
            graph, options, providers=["CPUExecutionProvider"]
        )
        self._tokenizer = Tokenizer.from_buffer(tokenizer)
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._model = model
        self._max_tokens = max_tokens
        self._temperature = temperature
        self._names = {"emotions": tuple(emotions), "cues": tuple(cues)}
        self._outputs = ["embedding", "logits", *(name for name, held in self._names.items() if held)]
        self._token_budget = token_budget
        self._cache_texts = cache_texts
        self._cache: OrderedDict[str, TextReading] = OrderedDict()

    @property
    def model(self) -> ModelRef:
        return self._model

    def lengths(self, texts: Sequence[str]) -> list[int]:
        return [len(ids) for ids in self._encode(texts)]

    def read(self, texts: Sequence[str]) -> list[TextReading]:
        if self._session is None:
            raise RuntimeError("the scorer is closed")
        found = {text: reading for text in texts if (reading := self._cache.get(text)) is not None}
        missing = list(dict.fromkeys(text for text in texts if text not in found))
        found.update(zip(missing, self._read_new(self._session, missing), strict=True))
        self._remember(found)
        return [found[text] for text in texts]

    def warm_up(self) -> None:
        """Runs one short and one full batch, so that the first customer does not wait for allocations."""
        if self._session is not None:
            long = "word " * self._max_tokens
            self._read_new(self._session, ["warm", long])

    def close(self) -> None:
        self._session = None
        self._cache.clear()

    def _read_new(self, session: ort.InferenceSession, texts: Sequence[str]) -> list[TextReading]:
        encoded = self._encode(texts)
        lengths = [len(ids) for ids in encoded]
        readings: list[TextReading | None] = [None] * len(texts)
        for batch in plan_batches(lengths, self._token_budget):
            ids = np.zeros((len(batch), lengths[batch[0]]), np.int64)
            mask = np.zeros_like(ids)
            for row, index in enumerate(batch):
                ids[row, : lengths[index]] = encoded[index]
                mask[row, : lengths[index]] = 1
            results = session.run(self._outputs, {"input_ids": ids, "attention_mask": mask})
            found = dict(zip(self._outputs, results, strict=True))
            for index, reading in zip(batch, self._readings(found), strict=True):
                readings[index] = reading
        return [reading for reading in readings if reading is not None]

    def _readings(self, found: dict[str, NDArray[np.float32]]) -> list[TextReading]:
        chances = probabilities(found["logits"], self._temperature).tolist()
        rows = len(chances)
        emotions = self._named("emotions", found, lambda logits: probabilities(logits, 1.0)) or [{}] * rows
        cues = self._named("cues", found, sigmoid) or [{}] * rows
        return [
            TextReading(negative, neutral, positive, embedding.copy(), said, felt)
            for (negative, neutral, positive), embedding, said, felt in zip(
                chances, found["embedding"], cues, emotions, strict=True
            )
        ]

    def _named(
        self,
        output: str,
        found: dict[str, NDArray[np.float32]],
        to_chances: Callable[[NDArray[np.float32]], NDArray[np.float64]],
    ) -> list[dict[str, float]]:
        names = self._names[output]
        if not names:
            return []
        return [dict(zip(names, row, strict=True)) for row in to_chances(found[output]).tolist()]

    def _encode(self, texts: Sequence[str]) -> list[list[int]]:
        shortened = [readable(text) for text in texts]
        if len(shortened) == 1:  # one text gains nothing from the tokenizer's own threads
            encodings = [self._tokenizer.encode(shortened[0])]
        else:
            encodings = self._tokenizer.encode_batch_fast(shortened)
        return [keep_ends(encoding.ids, self._max_tokens) for encoding in encodings]

    def _remember(self, found: dict[str, TextReading]) -> None:
        if self._cache_texts == 0:
            return
        for text, reading in found.items():
            self._cache[text] = reading
            self._cache.move_to_end(text)
        while len(self._cache) > self._cache_texts:
            self._cache.popitem(last=False)


def available_cores() -> int:
    """Cores this process may run on; all of the machine's where the system cannot tell."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def readable(text: str) -> str:
    """The text as the tokenizer can take it: bounded in length, lone surrogates replaced."""
    if len(text) > MAX_CHARACTERS:
        text = f"{text[: MAX_CHARACTERS // 2]} {text[-MAX_CHARACTERS // 2 :]}"
    return valid_unicode(text)


def keep_ends(ids: list[int], limit: int) -> list[int]:
    """The first and the last half of `limit` ids; both special tokens stay, since they stand at the ends."""
    if len(ids) <= limit:
        return ids
    tail = limit // 2
    return ids[: limit - tail] + ids[len(ids) - tail :]


def probabilities(logits: NDArray[np.float32], temperature: float) -> NDArray[np.float64]:
    """Softmax of logits ÷ temperature per row; rows sum to 1 (Guo et al. 2017, temperature scaling)."""
    scaled = logits.astype(np.float64) / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    weights = np.exp(scaled)
    total: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
    return total


def sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """1 ÷ (1 + e^−x), element by element, without overflow."""
    x = np.clip(logits.astype(np.float64), -60, 60)
    chances: NDArray[np.float64] = 1 / (1 + np.exp(-x))
    return chances
