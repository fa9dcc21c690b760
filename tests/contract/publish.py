"""Writes the published references anew from the code: `python -m tests.contract.publish`."""

import json
from pathlib import Path

from tests.contract.references import references

FOLDER = Path(__file__).parents[2] / "docs" / "reference"


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, document in references().items():
        text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False)
        (FOLDER / name).write_text(text + "\n")


if __name__ == "__main__":
    main()
