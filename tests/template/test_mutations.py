"""The generated tests, tried: each way to break the pipeline turns the test red that is there for it."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mlops_new.base import dvc_files

from tests.conftest import python_of
from tests.template.breaks import BREAKS, Break

PARTS = (
    "pipeline",
    "tests",
    "data/schema.yaml",
    "data/sample.csv",
    "params.yaml",
    "mlops.yaml",
    "pyproject.toml",
)
# Red because the break itself is not Python that runs says nothing about the test.
BROKEN_BREAK = r"\b(Name|Syntax|Import|Attribute|Type|ModuleNotFound)Error\b"


Try = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def outcome(trained: Path) -> Iterator[Try]:
    """Exit code and words of pytest for tests of a folder, all in one process."""
    script = Path(__file__).with_name("try_tests.py")
    with subprocess.Popen(
        [python_of(trained), script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout

        def outcome(folder: Path, *tests: str) -> tuple[int, str]:
            assert process.stdin
            assert process.stdout
            print(json.dumps([str(folder), *tests]), file=process.stdin, flush=True)
            code, said = json.loads(process.stdout.readline())
            return code, said

        yield outcome
        process.stdin.close()


def test_the_unbroken_tests_are_green_and_none_is_skipped(flights: Path, outcome: Try) -> None:
    code, said = outcome(flights)
    assert code == 0, said
    assert "skipped" not in said
    passed = set(re.findall(r"^PASSED tests/([^[\n]+)", said, re.MULTILINE))
    assert {case.red.partition("[")[0] for case in BREAKS} <= passed


@pytest.mark.parametrize("case", BREAKS, ids=lambda case: case.what)
def test_breaking_the_pipeline_turns_its_test_red(
    case: Break, trained: Path, tmp_path: Path, outcome: Try
) -> None:
    for part in PARTS:
        source, target = trained / part, tmp_path / part
        target.parent.mkdir(exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    file = tmp_path / "pipeline" / case.file
    text = file.read_text(encoding="utf-8")
    assert text.count(case.old) == 1, f"{case.file} holds {text.count(case.old)} times: {case.old}"
    file.write_text(text.replace(case.old, case.new), encoding="utf-8")

    code, said = outcome(tmp_path, f"tests/{case.red}")
    assert code == 1, f"{case.red} did not notice:\n{said}"
    assert f"FAILED tests/{case.red}" in said
    assert not re.search(BROKEN_BREAK, said), said


def test_a_crlf_copy_of_the_raw_data_is_named(flights: Path, outcome: Try) -> None:
    raw, params = flights / "data" / "rows.csv", flights / "params.yaml"
    shutil.copy(flights / "data" / "sample.csv", raw)
    dvc_files.track(flights, raw)
    params.write_text(params.read_text().replace("data/flights.parquet", "data/rows.csv"))
    code, said = outcome(flights, "tests/test_before_training.py")
    assert code == 0, said

    raw.write_bytes(raw.read_bytes().replace(b"\n", b"\r\n"))
    code, said = outcome(flights, "tests/test_before_training.py")
    assert code == 1
    assert "test_the_raw_data_is_the_version_that_git_names" in said
    assert "It has CRLF line ends: was it copied by Windows?" in said
    assert "`uv run dvc checkout data/rows.csv.dvc` brings that one back" in said
