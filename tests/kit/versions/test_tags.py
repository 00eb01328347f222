"""How a model's tags are spelled, in one module."""

import re
from pathlib import Path

import mlops_kit
import pytest
from mlops_kit.versions import tags

KIT = Path(mlops_kit.__file__).parent
OWNER = KIT / "versions/tags.py"
# The folder of tags, a sign between two values or before a star, and a sign as an argument or a summand.
SPELLED = re.compile(
    r"""refs/tags/|\}[@#](?:\{|\*|v|["'])|\+\s*["'][@#]["']|["'][@#]["']\s*\+|(?<!startswith\()["'][@#]["'],?\s*\)"""
)
OTHERS = {  # the same signs with another meaning
    "project/pipeline.py": '.partition("@")',  # a stage of `foreach` in dvc.lock: NAME@ITEM
    "doctor/workflows.py": 'get("uses", "")',  # the commit of an action
    "forge/workflow_runs.py": 'run["path"]',  # the branch of a workflow
    "registry/provenance/bom.py": 'f"',  # names of models and packages in a bill of materials
    "alerts/notify.py": "/blob/HEAD/",  # the heading in an address
}


def spellings(path: Path) -> list[str]:
    where = path.relative_to(KIT).as_posix()
    return [
        f"{where}:{number}: {line.strip()}"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if SPELLED.search(line) and OTHERS.get(where, line + "\0") not in line
    ]


def test_no_other_module_spells_a_tag() -> None:
    assert spellings(OWNER), "the pattern finds nothing any more"
    assert not [line for path in KIT.rglob("*.py") if path != OWNER for line in spellings(path)]


@pytest.mark.parametrize(
    "line",
    [
        'tag = f"{record.model}@{record.version}"',
        'tag = f"{model}#{stage}#{count}"',
        'ref = f"refs/tags/{tag}"',
        'glob = f"{model}@*"',
        'model = tag.partition("@")[0]',
        'tag = model + "@" + version',
        'tags.read(repository, model, "@")',
    ],
)
def test_the_pattern_finds_the_usual_spellings(line: str) -> None:
    assert SPELLED.search(line)


def test_tags_are_gtos() -> None:
    assert tags.version_tag("flights", "v0.3.0") == "flights@v0.3.0"
    assert tags.stage_tag("flights", "production", 4) == "flights#production#4"
    assert tags.ref("flights@v0.3.0") == "refs/tags/flights@v0.3.0"
    assert tags.tag_of("refs/tags/flights@v0.3.0") == "flights@v0.3.0"
    assert tags.refspecs("flights") == [
        "+refs/tags/flights@*:refs/tags/flights@*",
        "+refs/tags/flights#*:refs/tags/flights#*",
    ]


@pytest.mark.parametrize("name", ["v0.3.0", "0.3.0", "flights@v0.3.0", "flights@0.3.0"])
def test_a_version_is_known_by_any_of_its_names(name: str) -> None:
    assert tags.version_in("flights", name) == "v0.3.0"
