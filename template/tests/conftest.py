"""The committed sample, and a scratch copy of this repository to run the stages in."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import yaml

from pipeline import evaluate, prepare, read_params, train
from pipeline import schema as schemas
from pipeline.read import read
from pipeline.schema import ROW, Schema

ROOT = Path(__file__).parents[1]
SAMPLE = Path("data/sample.csv")


@pytest.fixture(autouse=True)
def _at_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.fixture
def schema() -> Schema:
    return schemas.load(ROOT / schemas.PATH)


def has_sample() -> bool:
    return "sample" in yaml.safe_load((ROOT / "mlops.yaml").read_text(encoding="utf-8"))


def pytest_report_header() -> str:
    return "" if has_sample() else f"{SAMPLE} is not committed: tests that need rows are skipped"


@pytest.fixture
def committed() -> Path:
    """The committed sample. Skips the test if mlops.yaml names none."""
    if not has_sample():
        pytest.skip("mlops.yaml names no sample, and this test needs rows")
    return ROOT / SAMPLE


@pytest.fixture
def sample(committed: Path, schema: Schema) -> pl.DataFrame:
    """Its rows that have a target."""
    known = read(committed, schema).filter(pl.col(schema.target).is_not_null())
    return known.with_columns(pl.int_range(pl.len()).alias(ROW))


@pytest.fixture
def scratch(committed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what the stages read, as current folder."""
    (tmp_path / "data").mkdir()
    for name in ("params.yaml", "data/schema.yaml"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copy(committed, tmp_path / SAMPLE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Path]:
    """Runs prepare, train and evaluate on the scratch copy's sample."""

    def run() -> Path:
        monkeypatch.setattr(sys, "argv", ["prepare", "--data", str(SAMPLE)])
        for stage in (prepare, train, evaluate):
            stage.main()
        return scratch

    return run


def planted(frame: pl.DataFrame, schema: Schema, signal: pl.Series) -> pl.DataFrame:
    """The rows with another target: the two classes, or the numbers, that `signal` (0 or 1) names."""
    if schema.task == "regression":
        return frame.with_columns(signal.cast(frame[schema.target].dtype).alias(schema.target))
    first, second = schema.classes[:2]
    target = signal.replace_strict({0: first, 1: second}, return_dtype=frame[schema.target].dtype)
    return frame.with_columns(target.alias(schema.target))


def split(frame: pl.DataFrame, schema: Schema) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Train and test rows without the checks, for targets that a test has planted."""
    test = prepare.split(frame, schema, read_params())
    return frame.filter(~test), frame.filter(test)


def keys(frame: pl.DataFrame, schema: Schema) -> set[str]:
    return set(frame[schema.key or ROW].cast(pl.String))
