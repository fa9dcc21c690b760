"""Words and letter sequences of a text, hashed into a fixed number of places: likeness without a model."""

import re
from collections import Counter
from collections.abc import Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

PLACES = 1024
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_LETTERS = 4


def ngram_vectors(texts: Sequence[str]) -> NDArray[np.float32]:
    """One row of unit length per text; the dot product of two is their likeness in words, about 0…1.

    Each word, and each four letters in a row of it with its edges, adds 1 + ln(its count) at a place and
    with a sign given by its CRC-32 (feature hashing, Weinberger et al. 2009). A text without words is zero.
    """
    rows = np.zeros((len(texts), PLACES), dtype=np.float32)
    known: dict[str, list[int]] = {}
    for row, text in zip(rows, texts, strict=True):
        counts: Counter[int] = Counter()
        for word in _WORD.findall(text.lower()):
            hashes = known.get(word)
            if hashes is None:
                hashes = known[word] = _hashes(word)
            counts.update(hashes)
        if counts:
            row[:] = _unit(counts)
    return rows


def _unit(counts: Counter[int]) -> NDArray[np.float64]:
    hashes = np.fromiter(counts, np.int64, len(counts))
    weights = 1.0 + np.log(np.fromiter(counts.values(), np.float64, len(counts)))
    found = np.bincount((hashes >> 1) % PLACES, np.where(hashes & 1, weights, -weights), PLACES)
    length = float(np.linalg.norm(found))
    return np.asarray(found / length if length else found)


def _hashes(word: str) -> list[int]:
    edged = f"<{word}>"
    parts = {edged[start : start + _LETTERS] for start in range(max(1, len(edged) - _LETTERS + 1))}
    return [crc32(word.encode()), *(crc32(f"#{part}".encode()) for part in sorted(parts))]
