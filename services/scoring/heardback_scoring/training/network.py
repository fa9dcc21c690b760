"""The student's network in torch: what `graph.py` writes as ONNX, node by node."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from tokenizers import Tokenizer
from torch import nn

from heardback_scoring.training.tasks import CUES, EMOTIONS, SENTIMENTS, Example

LAYERS, HIDDEN, WIDE = 6, 384, 256
POOLED = ("mean_4", "mean_6", "first_6")
"""What the heads for sentiment, emotion and cues look at."""
EMBEDDED = ("mean_3", "mean_4", "mean_5", "mean_6")
"""What the sentence embedding is a linear map of."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Logits, and the embedding of unit length; `plain` is the unit mean of the last layer."""

    sentiment: torch.Tensor
    emotion: torch.Tensor
    cues: torch.Tensor
    embedding: torch.Tensor
    plain: torch.Tensor


class Rates(Protocol):
    @property
    def rate(self) -> float: ...
    @property
    def layer_decay(self) -> float: ...
    @property
    def head_rate(self) -> float: ...


class Student(nn.Module):
    """MiniLM-L6 with its token embeddings frozen, and the heads."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        from transformers import BertModel  # noqa: PLC0415  (training extra)

        self.encoder: Any = BertModel.from_pretrained(
            folder,
            attn_implementation="eager",
            add_pooling_layer=False,
            attention_probs_dropout_prob=0.0,
            hidden_dropout_prob=0.0,
        )
        self.encoder.embeddings.requires_grad_(requires_grad=False)
        self.embed = nn.Linear(len(EMBEDDED) * HIDDEN, HIDDEN, bias=False)
        with torch.no_grad():  # at first the embedding is what it was
            self.embed.weight.zero_()
            self.embed.weight[:, -HIDDEN:] = torch.eye(HIDDEN)
        self.moods = _head(len(SENTIMENTS))
        self.feelings = _head(len(EMOTIONS))
        self.signs = _head(len(CUES))

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> Reading:
        with torch.autocast(ids.device.type, dtype=torch.bfloat16):
            states = self.encoder(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states
        shares = mask.float() / mask.sum(1, keepdim=True)
        pools = {f"mean_{i}": (states[i].float() * shares[:, :, None]).sum(1) for i in range(3, LAYERS + 1)}
        pools["first_6"] = states[LAYERS][:, 0].float()
        features = torch.cat([pools[name] for name in POOLED], dim=1)
        embedded = self.embed(torch.cat([pools[name] for name in EMBEDDED], dim=1))
        return Reading(
            sentiment=self.moods(features),
            emotion=self.feelings(features),
            cues=self.signs(features),
            embedding=nn.functional.normalize(embedded, dim=1),
            plain=nn.functional.normalize(pools["mean_6"], dim=1),
        )

    def groups(self, rates: Rates) -> list[dict[str, Any]]:
        """Parameter groups: every layer learns `layer_decay` slower than the one above it."""
        layers = self.encoder.encoder.layer
        body = [
            {"params": list(layer.parameters()), "lr": rates.rate * rates.layer_decay ** (LAYERS - 1 - i)}
            for i, layer in enumerate(layers)
        ]
        heads = [self.moods, self.feelings, self.signs]
        head = {"params": [p for h in heads for p in h.parameters()], "lr": rates.head_rate}
        return [*body, head, {"params": list(self.embed.parameters()), "lr": rates.rate}]


def _head(outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Dropout(0.2),
        nn.Linear(len(POOLED) * HIDDEN, WIDE),
        nn.GELU(),
        nn.Dropout(0.2),
        nn.Linear(WIDE, outputs),
    )


class Batcher:
    """Texts to padded ids and mask, with the encoder's own tokenizer."""

    def __init__(self, folder: Path, max_tokens: int, padding: int = 0) -> None:
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(max_tokens)
        self._tokenizer.no_padding()
        self._padding = padding

    def batch(self, texts: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
        encoded = [e.ids for e in self._tokenizer.encode_batch_fast(list(texts))]
        longest = max(map(len, encoded))
        ids = torch.full((len(encoded), longest), self._padding, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, tokens in enumerate(encoded):
            ids[row, : len(tokens)] = torch.tensor(tokens)
            mask[row, : len(tokens)] = 1
        return ids, mask

    def by_length(self, texts: Sequence[str]) -> list[int]:
        """Places in `texts`, shortest text first."""
        lengths = [len(e.ids) for e in self._tokenizer.encode_batch_fast(list(texts))]
        return sorted(range(len(texts)), key=lambda place: lengths[place])

    def batches(self, examples: Sequence[Example], size: int, seed: int) -> list[list[int]]:
        """Batches of about equal length in a seeded order: sorted by length within windows of 64 batches."""
        batches: list[list[int]] = []
        for start in range(0, len(examples), size * 64):
            window = [e.text for e in examples[start : start + size * 64]]
            order = self.by_length(window)
            batches += [[start + i for i in order[k : k + size]] for k in range(0, len(order), size)]
        random.Random(seed).shuffle(batches)
        return batches
