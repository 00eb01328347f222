"""What a merge, and whatever else trains, leaves behind: tags, events, data, and calls of GitHub's API."""

import json
from typing import Any

import pytest

from tests.act.forge import Forge

GREEN = {"train": "success", "register": "success"}


def record(forge: Forge, version: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(forge.show(f"flights@{version}:record.json"))
    return content


def change(forge: Forge, path: str, old: str, new: str, message: str = "") -> str:
    """A merge that replaces what stands once in a file."""
    text = (forge.work / path).read_text("utf-8")
    assert text.count(old) == 1
    return forge.merge(message or f"Change {path}", {path: text.replace(old, new)})


@pytest.fixture
def first(forge_with_folder: Forge) -> Forge:
    """A repository whose first merge has trained."""
    forge_with_folder.run("train.yml").must(jobs=GREEN)
    return forge_with_folder


def test_a_merge_becomes_a_version(forge_with_folder: Forge) -> None:
    forge = forge_with_folder
    main = forge.refs("refs/heads")
    outcome = forge.run("train.yml")
    outcome.must(jobs=GREEN)
    assert outcome.outputs["register"]["register"]["version"] == "v0.1.0"
    assert list(forge.refs()) == ["flights@v0.1.0"]
    assert forge.refs("refs/heads")["main"] == main["main"]
    made = record(forge, "v0.1.0")
    assert made["code"]["commit"] == outcome.commit
    assert forge.api.unknown == []
