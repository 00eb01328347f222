"""One name has one meaning in the whole kit."""

import ast
from collections import Counter
from pathlib import Path

import mlops_kit

KIT = Path(mlops_kit.__file__).parent


def classes() -> list[str]:
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in KIT.rglob("*.py"))
    found = [node.name for tree in trees for node in tree.body if isinstance(node, ast.ClassDef)]
    return [name for name in found if not name.startswith("_")]


def test_no_class_name_is_used_twice() -> None:
    counts = Counter(classes())
    assert len(counts) > 100
    assert not [name for name, count in counts.items() if count > 1]
