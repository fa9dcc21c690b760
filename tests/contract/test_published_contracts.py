"""The published references are what the code says; whoever changes it does so on purpose."""

import json

from tests.contract.publish import FOLDER
from tests.contract.references import references

from heardback_shared.contracts.asyncapi import asyncapi
from heardback_shared.contracts.topics import ALL


def test_the_published_references_are_current() -> None:
    """`python -m tests.contract.publish` writes them anew."""
    for name, document in references().items():
        assert json.loads((FOLDER / name).read_text()) == json.loads(json.dumps(document)), name


def test_every_reference_resolves() -> None:
    document = asyncapi()

    def refs(node: object) -> list[str]:
        if isinstance(node, dict):
            here = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return here + [r for v in node.values() for r in refs(v)]
        if isinstance(node, list):
            return [r for v in node for r in refs(v)]
        return []

    found = refs(document)
    assert found
    for ref in found:
        node: object = document
        for part in ref.removeprefix("#/").split("/"):
            assert isinstance(node, dict)
            node = node[part]


def test_no_event_type_stands_on_two_topics() -> None:
    types = [type_ for topic in ALL for type_, _ in topic.types]
    assert len(types) == len(set(types))
