"""YAML, JSON and TOML of others are read within bounds."""

import pytest
from mlops_kit.base import documents
from mlops_kit.base.errors import KitError

BOMB = "a0: &a0 {x: 1, y: 2}\n" + "".join(
    f"a{i}: &a{i} {{p: *a{i - 1}, q: *a{i - 1}}}\n" for i in range(1, 40)
)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("x.yaml", BOMB, "holds more than 1,000,000 values"),
        ("x.yaml", "a: " + "[" * 20_000 + "]" * 20_000, "nested more than 100 levels"),
        (
            "x.yaml",
            "".join(f"{' ' * i}a{i}:\n" for i in range(150)) + " " * 200 + "x",
            "nested more than 100 levels",
        ),
        ("x.yaml", "a: &a [*a]", "stands inside of what it names"),
        ("x.yaml", "a: 2026-13-45", "month must be in"),
        ("x.yaml", "a: " + "9" * 5000, "digits"),
        ("x.yaml", "a: !!int ''", "cannot be read"),
        ("x.yaml", "a: !!python/object:os.system x", "is not YAML"),
        ("x.yaml", "[1, 2]", "holds a list"),
        ("x.json", "[" * 200_000 + "]" * 200_000, "recursion"),
        ("x.json", "[" * 150 + "]" * 150, "nested more than 100 levels"),
        ("x.json", "9" * 5000, "digits"),
        ("x.toml", "a = " + "[" * 200 + "]" * 200, "x.toml"),
    ],
)
def test_a_document_beyond_its_bounds_is_refused(name: str, text: str, says: str) -> None:
    with pytest.raises(KitError) as refused:
        documents.parse(text, name)
    assert says in refused.value.what and name in refused.value.what


def test_aliases_of_a_reasonable_size_are_read() -> None:
    text = "base: &base {a: 1, b: [1, 2]}\none: *base\ntwo: {<<: *base, c: 3}\n"
    assert documents.parse(text, "x.yaml")["two"] == {"a": 1, "b": [1, 2], "c": 3}


def test_a_large_document_that_only_the_slow_parser_takes_is_refused() -> None:
    with pytest.raises(KitError, match="not the YAML that libyaml reads"):
        documents.parse("a: {folder: s3://x}\n" + "# comment\n" * 100_001, "x.yaml")
