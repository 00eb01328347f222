"""What changed, told apart and in words."""

import re
from pathlib import Path
from typing import Any

import pytest
from mlops_kit.project.repository import Repository
from mlops_kit.versions.description import in_words
from mlops_kit.versions.differences import Differences, between
from mlops_kit.versions.record import Code, Environment, File, Record

from tests.conftest import must
from tests.kit.builders import a_record, a_repository, commit, figure, metrics


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return a_repository(tmp_path / "flights")


def changed(repository: Repository, **what: Any) -> Differences:
    old = a_record(repository.commit(), "v0.1.0")
    return between(old, old.model_copy(update={"version": None, **what}), repository)


def test_everything_at_once_is_told_in_order(repository: Repository) -> None:
    old = a_record(repository.commit(), "v0.1.0")
    commit(repository, "Lower the rate", train__py="print(2)\n", README__md="x\n")
    new = a_record(
        repository.commit(),
        code=Code(commit=repository.commit(), files=[File(path="train.py", md5="1112")]),
        data=[File(path="data.csv", md5="b" * 32, bytes=31_000, rows=1250)],
        parameters={"rate": 0.05, "depth": 3},
        metrics=metrics(0.75, AA={"n": 100, "roc_auc": figure(0.6)}),
        environment=Environment(files={}, python="3.12.1", platform="Linux x86_64", threads=2),
    )
    said = in_words(between(old, new, repository))
    assert (
        said
        == f"""\
Compared with v0.1.0.

**Code**

- `{repository.commit()[:7]}` Lower the rate (Test)
- Pipeline: `train.py`
- Beside the pipeline: `README.md` (added)

**Data**

- `data.csv`: 1,000 → 1,250 rows (+250), 24.0 kB → 31.0 kB, md5 `aaaaaaaa` → `bbbbbbbb`

**Parameters**

- `depth`: 3 (new)
- `rate`: 0.1 → 0.05

**Metrics**

- `model.roc_auc`: 0.7000 → 0.7500 (+0.05, better, outside the noise band of ±0.028)

**Environment**

- `Python`: `3.11.7` → `3.12.1`"""
    )
    assert said == in_words(between(old, new, repository))


def test_the_first_version_says_so(repository: Repository) -> None:
    said = in_words(between(None, a_record(repository.commit()), repository))
    sha = repository.commit()[:7]
    assert said == f"First version of `flights`: nothing to compare with. Made from `{sha}` Start (Test)."


def test_no_difference_says_so(repository: Repository) -> None:
    found = changed(repository)
    assert found.is_empty
    assert in_words(found) == "Nothing differs from v0.1.0."


@pytest.mark.parametrize(
    ("what", "heading"),
    [
        ({"data": [File(path="data.csv", md5="b" * 32)]}, "Data"),
        ({"data": []}, "Data"),
        ({"parameters": {"rate": 0.2}}, "Parameters"),
        ({"parameters": {}}, "Parameters"),
        ({"metrics": metrics(0.71)}, "Metrics"),
        (
            {
                "environment": Environment(
                    files={"uv.lock": "f"}, python="3.11.7", platform="Linux x86_64", threads=2
                )
            },
            "Environment",
        ),
        (
            {"environment": Environment(files={}, python="3.11.7", platform="Linux x86_64", threads=4)},
            "Environment",
        ),
    ],
)
def test_one_cause_has_one_heading(repository: Repository, what: dict[str, Any], heading: str) -> None:
    said = in_words(changed(repository, **what))
    assert [line.strip("*") for line in said.splitlines() if line.startswith("**")] == [heading]


def test_the_noise_band_is_that_of_both_intervals(repository: Repository) -> None:
    inside, outside = (
        changed(repository, metrics=metrics(auc)).metrics[0] for auc in (0.7 + 0.028, 0.7 + 0.0284)
    )
    assert inside.is_noise is True and outside.is_noise is False
    assert outside.better is True
    plain_number = changed(repository, metrics={"model": {"roc_auc": 0.9}}).metrics[0]
    assert plain_number.is_noise is None
    assert "no interval to judge by" in in_words(changed(repository, metrics={"model": {"roc_auc": 0.9}}))


def test_lower_is_better_for_an_error(repository: Repository) -> None:
    old = a_record(repository.commit(), "v0.1.0", metrics={"rmse": figure(2.0), "speed": figure(2.0)})
    new = a_record(repository.commit(), metrics={"rmse": figure(1.0), "speed": figure(1.0)})
    assert [one.better for one in between(old, new, repository).metrics] == [True, None]


def test_many_commits_are_bounded_and_counted(repository: Repository) -> None:
    old = a_record(repository.commit(), "v0.1.0")
    for number in range(23):
        commit(repository, f"Change {number} " + "x" * 5000)
    said = in_words(between(old, a_record(repository.commit()), repository))
    assert said.count("\n- `") == 20 and "- and 3 more commits" in said
    assert "Change 22" in said and "Change 2 " not in said
    assert len(said) < 10_000


def test_a_merge_speaks_in_its_own_words(repository: Repository) -> None:
    old = a_record(repository.commit(), "v0.1.0")
    must(["git", "checkout", "--quiet", "-b", "x"], repository.root)
    commit(repository, "Work")
    must(["git", "checkout", "--quiet", "main"], repository.root)
    words = ["-m", "Merge pull request #7 from acme/x", "-m", "Forget old flights"]
    must(["git", "merge", "--quiet", "--no-ff", "x", *words], repository.root)
    subjects = [one.subject for one in between(old, a_record(repository.commit()), repository).commits]
    assert subjects == ["Merge pull request #7 from acme/x: Forget old flights", "Work"]


def test_shallow_history_says_so_and_names_files_by_the_records(
    repository: Repository, tmp_path: Path
) -> None:
    old = a_record(repository.commit(), "v0.1.0")
    commit(repository, "One", train__py="print(2)\n")
    commit(repository, "Two")
    must(["git", "clone", "--quiet", "--depth=1", f"file://{repository.root}", tmp_path / "clone"], tmp_path)
    files = [File(path="train.py", md5="9"), File(path="new.py", md5="1")]
    new = a_record(repository.commit(), code=Code(commit=repository.commit(), files=files))
    found = between(old, new, Repository(tmp_path / "clone"))
    assert found.shallow and not found.is_empty
    said = in_words(found)
    assert "history does not reach back to v0.1.0" in said
    assert "`new.py` (added), `train.py`" in said


def test_a_version_of_another_branch_says_so(repository: Repository) -> None:
    commit(repository, "Aside")
    old = a_record(repository.commit(), "v0.1.0")
    must(["git", "reset", "--quiet", "--hard", "HEAD~1"], repository.root)
    commit(repository, "Other")
    found = between(old, a_record(repository.commit()), repository)
    assert found.aside and not found.shallow
    assert "not in this history" in in_words(found)


def test_packages_that_moved_are_named(repository: Repository) -> None:
    lock = '[[package]]\nname = "{}"\nversion = "{}"\n'

    def pinned(name: str) -> Environment:
        return Environment(files={"uv.lock": name}, python="3.11.7", platform="Linux x86_64", threads=2)

    commit(repository, "Pin", uv__lock=lock.format("numpy", "2.1") + lock.format("polars", "1.0"))
    old = a_record(repository.commit(), "v0.1.0", environment=pinned("a"))
    commit(repository, "Move", uv__lock=lock.format("numpy", "2.2") + lock.format("polars", "1.0"))
    new = a_record(repository.commit(), environment=pinned("b"))
    assert "- `numpy`: `2.1` → `2.2`" in in_words(between(old, new, repository))
    assert "polars" not in in_words(between(old, new, repository))


def test_a_changed_command_is_told(repository: Repository) -> None:
    from tests.kit.builders import tag

    old = a_record(repository.commit(), "v0.1.0")
    tag(repository, old)
    lock = repository.root / "dvc.lock"
    lock.write_text(lock.read_text().replace("python train.py", "python train.py --fast"))
    said = in_words(between(old, a_record(repository.commit()), repository))
    assert "- Command of `train`: `python train.py` → `python train.py --fast`" in said


def test_hostile_words_stay_words(repository: Repository) -> None:
    old: Record = a_record(repository.commit(), "v0.1.0")
    commit(repository, "<script>alert(1)</script> @acme closes #1 [x](http://e.example)")
    new = a_record(repository.commit(), parameters={"rate": "`</code>` <img>", "| x": "@acme"})
    said = in_words(between(old, new, repository))
    for line in said.splitlines():
        outside = re.sub(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", "", line)
        assert not any(bad in outside for bad in ("<script", "<img", "@acme", "#1", "://"))
        assert not re.search(r"(?<!\\)[\[\]]", outside)
