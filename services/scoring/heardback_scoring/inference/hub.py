"""Any transformers sequence-classification model, by name and commit. Needs the extra `transformers`."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from heardback_scoring.inference.batching import plan_batches
from heardback_scoring.inference.ports import Scorer, TextReading
from heardback_scoring.inference.text import valid_unicode
from heardback_scoring.models.store import HubChoice, ModelRefused
from heardback_shared.contracts.score import ModelRef

ORDER = ("negative", "neutral", "positive")
USUAL_NAMES = {"neg": "negative", "neu": "neutral", "pos": "positive"} | {name: name for name in ORDER}
COMMIT = re.compile(r"[0-9a-f]{40}")
TOKEN_BUDGET = 1024


def label_columns(id2label: Mapping[int, str], given: Mapping[str, str]) -> dict[int, str]:
    """Which output of the model means what; ModelRefused unless negative and positive are both there.

    A model may lack neutral (its probability is then 0). Names such as LABEL_0 are never guessed.
    """
    columns: dict[int, str] = {}
    for index, name in id2label.items():
        meaning = given.get(name) if given else USUAL_NAMES.get(name.strip().lower())
        if meaning not in ORDER:
            shown = ", ".join(sorted(id2label.values()))
            raise ModelRefused(
                f"The model's label {name!r} is not known to mean negative, neutral or positive. "
                f"Give a label map for all of: {shown}."
            )
        columns[int(index)] = meaning
    if not {"negative", "positive"} <= set(columns.values()):
        raise ModelRefused("The model's labels must cover at least negative and positive.")
    return columns


def load_hub_scorer(choice: HubChoice, threads: int | None) -> Scorer:
    """The model at exactly that commit, or in that local folder. Code that comes with it is never run."""
    local = Path(choice.name).is_dir()
    if not local and not COMMIT.fullmatch(choice.revision):
        raise ModelRefused(
            f"Model {choice.name}: revision {choice.revision!r} can change its meaning. "
            "Name the commit: 40 hexadecimal digits."
        )
    try:
        import torch  # noqa: PLC0415
        from transformers import AutoModelForSequenceClassification, AutoTokenizer  # noqa: PLC0415
    except ImportError as error:
        raise ModelRefused(
            f"Model {choice.name} needs {error.name}: pip install 'heardback[transformers]'."
        ) from error
    if threads is not None:
        torch.set_num_threads(threads)
    where: dict[str, Any] = {"trust_remote_code": False}
    if not local:
        where["revision"] = choice.revision
    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(choice.name, **where)
        network: Any = AutoModelForSequenceClassification.from_pretrained(
            choice.name, use_safetensors=True, **where
        )
    except (OSError, ValueError, ImportError) as error:
        raise ModelRefused(f"Model {choice.name}@{choice.revision} cannot be loaded: {error}") from error
    columns = label_columns(network.config.id2label, choice.labels)
    return HubScorer(choice, tokenizer, network.eval(), columns)


class HubScorer:
    """Probabilities as the model gives them; the embedding is the mean of its last layer."""

    degraded = False

    def __init__(self, choice: HubChoice, tokenizer: Any, network: Any, columns: Mapping[int, str]) -> None:
        self._tokenizer = tokenizer
        self._network = network
        self._columns = dict(columns)
        self._max_tokens = choice.max_tokens
        self._model = ModelRef(name=choice.name, revision=choice.revision, sha256=_weights_digest(network))

    @property
    def model(self) -> ModelRef:
        return self._model

    def lengths(self, texts: Sequence[str]) -> list[int]:
        return [max(1, len(ids)) for ids in self._encode(texts)]

    def read(self, texts: Sequence[str]) -> list[TextReading]:
        if self._network is None:
            raise RuntimeError("the scorer is closed")
        encoded = self._encode(texts)
        readings: dict[int, TextReading] = {}
        for batch in plan_batches([len(ids) for ids in encoded], TOKEN_BUDGET):
            readings.update(zip(batch, self._run([encoded[index] for index in batch]), strict=True))
        return [readings[index] for index in range(len(texts))]

    def warm_up(self) -> None:
        self.read(["warm"])

    def close(self) -> None:
        self._network = None

    def _encode(self, texts: Sequence[str]) -> list[list[int]]:
        if not texts:
            return []
        encoded = self._tokenizer(
            [valid_unicode(text) for text in texts], truncation=True, max_length=self._max_tokens
        )
        return [list(ids) for ids in encoded["input_ids"]]

    def _run(self, rows: Sequence[list[int]]) -> list[TextReading]:
        import torch  # noqa: PLC0415

        batch = self._tokenizer.pad({"input_ids": list(rows)}, return_tensors="pt")
        with torch.inference_mode():
            result = self._network(
                input_ids=batch["input_ids"],
                attention_mask=batch["attention_mask"],
                output_hidden_states=True,
            )
        chances = torch.softmax(result.logits.double(), dim=1).tolist()
        mask = batch["attention_mask"].unsqueeze(-1)
        mean = (result.hidden_states[-1] * mask).sum(dim=1) / mask.sum(dim=1)
        embeddings = torch.nn.functional.normalize(mean.float(), dim=1).numpy()
        return [self._reading(row, embeddings[index].copy()) for index, row in enumerate(chances)]

    def _reading(self, chances: Sequence[float], embedding: Any) -> TextReading:
        sums = dict.fromkeys(ORDER, 0.0)
        for column, meaning in self._columns.items():
            sums[meaning] += chances[column]
        return TextReading(sums["negative"], sums["neutral"], sums["positive"], embedding)


def _weights_digest(network: Any) -> str:
    import torch  # noqa: PLC0415

    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
