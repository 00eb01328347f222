"""What a person reads of the columns of a version's data."""

from pathlib import Path

import pytest
from mlops_kit.data.columns import Column, Lengths, Numbers, Table, Type, Values
from mlops_kit.project.repository import Repository
from mlops_kit.versions.description import in_words
from mlops_kit.versions.differences import between
from mlops_kit.versions.record import Summed

from tests.kit.builders import a_record, a_repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return a_repository(tmp_path / "flights")


def numbers(
    name: str, mean: float, sd: float, *, wide: float = 1.0, type: Type = "number", missing: float = 0.0
) -> Column:
    around = [mean + wide * sd * z for z in (-1.645, -0.674, 0.0, 0.674, 1.645)]
    return Column(name=name, type=type, missing=missing, numbers=Numbers(mean=mean, sd=sd, quantiles=around))


def shares(name: str, **of: float) -> Column:
    return Column(name=name, type="text", missing=0.0, values=Values(distinct=len(of), shares=of))


def text(name: str, mean: float) -> Column:
    return Column(name=name, type="text", missing=0.0, lengths=Lengths(distinct=9000, mean=mean, sd=4))


def said(repository: Repository, before: list[Column], after: list[Column]) -> str:
    old, new = (
        Summed(path="train.parquet", md5=md5, table=Table(rows=rows, width=len(of), columns=of))
        for md5, rows, of in (("1", 8400, before), ("2", 9100, after))
    )
    earlier = a_record(repository.commit(), "v0.1.0", tables=[old])
    return in_words(between(earlier, a_record(repository.commit(), tables=[new]), repository))


def test_columns_that_moved_are_told_from_the_largest_move(repository: Repository) -> None:
    before = [
        numbers("distance", 812, 520),
        shares("carrier", UA=0.5, B6=0.3, AA=0.2),
        numbers("gust", 20, 5, missing=0.02),
        numbers("delay", 0.5, 4),
        numbers("scheduled", 1.3611e9, 2.2e6, type="time"),
        text("note", 10),
        shares("origin", JFK=0.5, LGA=0.5),
        numbers("same", 1, 1),
    ]
    after = [
        numbers("distance", 1020, 520),
        shares("carrier", UA=0.2, B6=0.5, AA=0.3),
        numbers("gust", 20, 5, missing=0.4),
        numbers("delay", 0.5, 4, wide=2),
        numbers("scheduled", 1.3637e9, 3e6, type="time"),
        text("note", 12),
        Column(name="origin", type="integer", missing=0.0),
        numbers("same", 1.001, 1),
        numbers("pressure", 1010, 8),
    ]
    assert (
        said(repository, before, after)
        == """\
Compared with v0.1.0.

**Data**

- `train.parquet`: 8,400 → 9,100 rows; columns that moved most:
  - `pressure`: new (number)
  - `origin`: text → integer
  - `scheduled`: mean 2013-02-17 → 2013-03-19 (+1.2 sd)
  - `gust`: missing 2 % → 40 %
  - `delay`: 90 % of it -6.08 to 7.08 → -12.7 to 13.7, around the same mean
  - `carrier`: `UA` 50 % → 20 %, `B6` 30 % → 50 %, `AA` 20 % → 30 %
  - `note`: mean length 10 → 12
  - `distance`: mean 812 → 1,020 (+0.4 sd)"""
    )


def test_many_moves_are_bounded_and_counted(repository: Repository) -> None:
    before, after = ([numbers(f"x{i:02}", mean, 1) for i in range(30)] for mean in (0, 1))
    found = said(repository, before, after)
    assert found.count("mean 0 → 1 (+1 sd)") == 8
    assert found.endswith("  - and 22 more columns")


def test_new_rows_like_the_old_ones_are_said_to_be(repository: Repository) -> None:
    found = said(repository, [numbers("a", 1, 1)], [numbers("a", 1.01, 1)])
    assert found.endswith("- `train.parquet`: none of 1 columns moved beyond what chance does")


def test_a_name_cannot_say_more_than_a_name(repository: Repository) -> None:
    hostile = "`</code>` @acme\n# [x](http://e.example)"
    found = said(repository, [], [numbers(hostile, 1, 1)])
    assert "- `` `</code>` @acme # [x](http://e.example) ``: new (number)" in found


def test_a_version_that_does_not_know_its_columns_is_not_compared(repository: Repository) -> None:
    new = Summed(path="train.parquet", md5="2", table=Table(rows=1, width=0, columns=[]))
    old = a_record(repository.commit(), "v0.1.0")
    found = between(old, old.model_copy(update={"version": None, "tables": [new]}), repository)
    assert found.tables == []
    assert found.is_empty
