"""A reading policy that changes nothing, to measure a model on the text as it was written.

python -m heardback_scoring.training.as_written --out runs/raw
"""

import argparse
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

NEVER = "qqqqzz"
"""What no text holds: lists that must not be empty get it."""
EMPTY = ("capital_only", "members", "groups", "countries", "no_names")
POSITIONS = ("before_names", "introductions", "after_introductions", "after_names", "closings")


def as_written() -> dict[str, Any]:
    """The packaged reading policy without anything that it replaces."""
    packaged = files("heardback_scoring.policies").joinpath("reading.yaml").read_text(encoding="utf8")
    policy: dict[str, Any] = yaml.safe_load(packaged)
    policy |= dict.fromkeys(EMPTY, "") | {key: [NEVER] for key in POSITIONS}
    return policy | {"policy": "reading@none", "words": {}, "phrases": []}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="a folder, to be given as --policies")
    folder: Path = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "reading.yaml").write_text(yaml.safe_dump(as_written()), encoding="utf8")


if __name__ == "__main__":
    main()
