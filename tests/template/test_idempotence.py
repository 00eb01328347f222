"""Running again: nothing to do, the same bytes, and no file of the team's is touched."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import must, python_of, run

REPRO = ["uv", "run", "--frozen", "dvc", "repro"]
RESULTS = ("dvc.lock", "metrics.json", "model", "evaluation", "data/prepared")


def results(repository: Path) -> dict[str, bytes]:
    """What a run makes."""
    files = [file for name in RESULTS for file in (repository / name, *(repository / name).rglob("*"))]
    return {str(file.relative_to(repository)): file.read_bytes() for file in files if file.is_file()}


def changed(repository: Path) -> str:
    return must(["git", "status", "--porcelain", "--untracked-files=all"], repository)


def test_a_second_run_runs_nothing(flights: Path) -> None:
    before = {name: (flights / name).stat().st_mtime_ns for name in results(flights)}
    assert "Data and pipelines are up to date." in must(REPRO, flights)
    assert {name: (flights / name).stat().st_mtime_ns for name in before} == before
    assert changed(flights) == ""


def test_a_forced_run_gives_the_same_bytes(flights: Path) -> None:
    """Where hashes and threads are others, too."""
    before = results(flights)
    assert len(before) > len(RESULTS)
    said = must([*REPRO, "--force"], flights, PYTHONHASHSEED="7", OMP_NUM_THREADS="3")
    assert said.count("Running stage") == 3
    after = results(flights)
    assert [name for name in before | after if before.get(name) != after.get(name)] == []
    assert changed(flights) == ""


def test_a_run_changes_no_file_of_git_but_the_lock(flights: Path) -> None:
    params = flights / "params.yaml"
    params.write_text(params.read_text().replace("max_iter: 100", "max_iter: 2"))
    must(["git", "commit", "--quiet", "--no-verify", "--all", "--message=Two trees"], flights)
    said = must(REPRO, flights)
    assert "Stage 'prepare' didn't change, skipping" in said
    assert changed(flights) == " M dvc.lock\n"


def rewritten(change: str) -> Callable[[Path], None]:
    """Changes the raw data with the repository's own library."""

    def rewrite(repository: Path) -> None:
        lines = "import polars as pl; f = pl.read_parquet('data/flights.parquet'); "
        lines += f"f = {change}; f.write_parquet('data/flights.parquet')"
        must([python_of(repository), "-c", lines], repository)

    return rewrite


BAD = {
    "a column is gone": (rewritten("f.drop('distance')"), "column 'distance' is missing"),
    "every row twice": (rewritten("pl.concat([f, f])"), "column 'flight': a key occurs twice in"),
    "no rows": (rewritten("f.clear()"), "the data has no rows"),
    "another type": (
        rewritten("f.with_columns(pressure=pl.lit('high'))"),
        "column 'pressure' is not number in 12000 rows (row 2: 'high'",
    ),
    "the label leaks": (
        rewritten("f.with_columns(distance=f['late'].cast(pl.Int64))"),
        "column 'distance' gives the target 'late' away",
    ),
    "not Parquet": (
        lambda repository: (repository / "data/flights.parquet").write_bytes(b"half a fi") and None,
        "data/flights.parquet cannot be read",
    ),
    "the schema is gone": (lambda repository: (repository / "data/schema.yaml").unlink(), "data/schema.yaml"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_data_leaves_model_and_lock_as_they_were(what: str, flights: Path) -> None:
    spoil, says = BAD[what]
    kept = {name: data for name, data in results(flights).items() if not name.startswith("data/prepared")}
    (flights / "data/flights.parquet").chmod(0o644)
    spoil(flights)
    done = run(REPRO, flights)
    assert done.code != 0
    assert says in done.said
    assert "Traceback" not in done.said
    assert {name: (flights / name).read_bytes() for name in kept} == kept

    # docs/runbook.md, "The data was refused"
    must(["git", "restore", "data"], flights)
    must(["uv", "run", "--frozen", "dvc", "checkout", "--quiet", "--force"], flights)
    assert changed(flights) == ""
    assert kept.items() <= results(flights).items()
