"""Writes the published references anew from the code: `python -m tests.contract.publish`."""

import json

from tests.contract.test_published_contracts import PUBLISHED

from heardback_shared.contracts.asyncapi import asyncapi


def main() -> None:
    PUBLISHED.parent.mkdir(parents=True, exist_ok=True)
    PUBLISHED.write_text(json.dumps(asyncapi(), indent=2, sort_keys=True, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
