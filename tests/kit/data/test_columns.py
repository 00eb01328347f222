"""Which columns moved between two tables, and which only look so."""

import random

import pytest
from mlops_kit.data import columns
from mlops_kit.data.columns import QUANTILES, Column, Lengths, Numbers, Table, Values


def numbers(name: str, mean: float, sd: float = 1.0, missing: float = 0.0) -> Column:
    around = [mean + sd * z for z in (-1.645, -0.674, 0.0, 0.674, 1.645)]
    return Column(
        name=name, type="number", missing=missing, numbers=Numbers(mean=mean, sd=sd, quantiles=around)
    )


def shares(name: str, **of: float) -> Column:
    return Column(name=name, type="text", missing=0.0, values=Values(distinct=len(of), shares=of))


def table(*of: Column, rows: int = 10_000, width: int | None = None) -> Table:
    return Table(rows=rows, width=len(of) if width is None else width, columns=list(of))


def test_a_column_that_came_went_or_changed_its_type_is_named() -> None:
    retyped = Column(name="origin", type="integer", missing=0.0)
    found = columns.table_moves(
        table(numbers("distance", 1), shares("origin", JFK=1.0)), table(numbers("gust", 1), retyped)
    )
    assert [column.name for column in found.added] == ["gust"]
    assert [column.name for column in found.removed] == ["distance"]
    assert [(pair.before.type, pair.after.type) for pair in found.retyped] == [("text", "integer")]
    assert found.moves == []


def test_the_column_that_moved_most_is_first_whatever_its_kind() -> None:
    before = table(numbers("distance", 812, 500), shares("carrier", UA=0.5, B6=0.5), numbers("gust", 1))
    after = table(
        numbers("distance", 1012, 500), shares("carrier", UA=0.2, B6=0.8), numbers("gust", 1, missing=0.2)
    )
    found = columns.table_moves(before, after)
    assert [(move.name, move.what, round(move.by, 2)) for move in found.moves] == [
        ("carrier", "values", 0.3),
        ("gust", "missing", 0.2),
        ("distance", "values", 0.16),
    ]


def test_a_spread_that_changes_around_the_same_mean_is_a_move() -> None:
    found = columns.table_moves(table(numbers("delay", 0, 1)), table(numbers("delay", 0, 3)))
    assert [move.name for move in found.moves] == ["delay"]


def test_what_was_constant_and_is_not_the_same_any_more_moved_wholly() -> None:
    found = columns.table_moves(table(numbers("fee", 5, 0)), table(numbers("fee", 6, 0)))
    assert [move.by for move in found.moves] == [1.0]


@pytest.mark.parametrize("rows", [50, 1000])
def test_draws_from_the_same_rows_did_not_move(rows: int) -> None:
    """3 sigma on two columns, 200 times: a handful at most."""
    draw = random.Random(7)
    alarms = 0
    for _ in range(200):
        pair = []
        for _ in range(2):
            values = sorted(draw.gauss(0, 1) for _ in range(rows))
            mean = sum(values) / rows
            sd = (sum((value - mean) ** 2 for value in values) / rows) ** 0.5
            quantiles = [values[int(q * (rows - 1))] for q in QUANTILES]
            a = sum(draw.random() < 0.3 for _ in range(rows)) / rows
            drawn = Column(
                name="x", type="number", missing=0.0, numbers=Numbers(mean=mean, sd=sd, quantiles=quantiles)
            )
            pair.append(table(drawn, shares("c", a=a, b=1 - a), rows=rows))
        alarms += bool(columns.table_moves(*pair).moves)
    assert alarms <= 6


def test_of_a_text_only_its_lengths_can_move() -> None:
    def text(mean: float) -> Table:
        return table(
            Column(name="note", type="text", missing=0.0, lengths=Lengths(distinct=9000, mean=mean, sd=4))
        )

    assert [move.name for move in columns.table_moves(text(10), text(14)).moves] == ["note"]
    assert columns.table_moves(text(10), text(10)).is_empty


def test_columns_beyond_those_summed_up_are_not_said_to_have_gone() -> None:
    wide, narrow = table(numbers("a", 1), width=301), table(numbers("a", 1), numbers("b", 1))
    assert columns.table_moves(wide, narrow).added == []
    assert columns.table_moves(narrow, wide).removed == []


def test_a_table_without_rows_has_not_moved() -> None:
    assert columns.table_moves(table(numbers("a", 1), rows=0), table(numbers("a", 9))).is_empty
