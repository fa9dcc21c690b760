"""Small scorers for tests: a local transformers model of random weights, where torch is installed."""

from pathlib import Path

import pytest

WORDS = """
[PAD] [UNK] [CLS] [SEP] [MASK] the a i it was is not good bad great awful late parcel app . , !
"""


def tiny_hub_model(folder: Path, labels: dict[int, str]) -> Path:
    """A random BERT classifier of a few kilobytes, saved as transformers saves one."""
    torch = pytest.importorskip("torch", reason="the hub scorer needs the extra `transformers`")
    transformers = pytest.importorskip("transformers", reason="the hub scorer needs the extra `transformers`")
    torch.manual_seed(1)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(WORDS.split()), encoding="utf8")
    config = transformers.BertConfig(
        vocab_size=len(WORDS.split()),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        id2label=labels,
        label2id={name: index for index, name in labels.items()},
    )
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    transformers.BertTokenizer(vocab_file=str(folder / "vocab.txt")).save_pretrained(folder)
    return folder
