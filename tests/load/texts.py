"""Texts for measuring: the reviews of an evaluation set beside the checkout, each once."""

import gzip
import json
from pathlib import Path

DATA = Path(__file__).parents[3] / "shared" / "data"


class DataAbsentError(Exception):
    """The set is not there; the message names it."""


def reviews(folder: Path = DATA) -> list[str]:
    """The distinct texts of fabsa dev, in the order of the file. Raises DataAbsentError."""
    path = folder / "fabsa" / "dev.jsonl.gz"
    if not path.exists():
        raise DataAbsentError(f"fabsa/dev.jsonl.gz is not in {folder.name}/; name its folder with --data")
    with gzip.open(path, "rt", encoding="utf8") as lines:
        return list(dict.fromkeys(json.loads(line)["text"] for line in lines))


def dialogues(folder: Path = DATA) -> list[list[dict[str, str]]]:
    """The turns (role, text) of every dialogue of stc3_helpdesk_en dev. Raises DataAbsentError."""
    path = folder / "stc3_helpdesk_en" / "dev.jsonl.gz"
    if not path.exists():
        raise DataAbsentError(f"stc3_helpdesk_en/dev.jsonl.gz is not in {folder.name}/; name it with --data")
    with gzip.open(path, "rt", encoding="utf8") as lines:
        rows = [json.loads(line)["turns"] for line in lines]
    return [[{"role": t["role"], "text": t["text"]} for t in turns] for turns in rows]
