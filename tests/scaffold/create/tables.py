"""A table as a person has it: a file, its target, and what must come of it; and rows to write it with.

The rows hold a relation that a model can find (`y` follows `x`), so that a broken reader shows.
"""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

N = 240
Row = dict[str, object]


@dataclass(frozen=True)
class Table:
    name: str
    content: bytes
    target: str = "y"
    time: str | None = None
    task: str = "binary"
    says: list[str] = field(default_factory=list)  # in the notes, or in the refusal
    refused: bool = False
    suffix: str = ".csv"


def rows(n: int = N, seed: int = 7) -> list[Row]:
    draw = np.random.default_rng(seed)
    x = draw.normal(size=n).round(3)
    noise = draw.normal(size=n)
    return [
        {
            "x": x[i],
            "colour": ["red", "green", "blue"][draw.integers(3)],
            "count": int(draw.integers(0, 40)),
            "y": "yes" if x[i] + 0.5 * noise[i] > 0.3 else "no",
        }
        for i in range(n)
    ]


def written(table: list[Row], separator: str = ",", encoding: str = "utf-8", end: str = "\n") -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(table[0]), delimiter=separator, lineterminator=end)
    writer.writeheader()
    writer.writerows(table)
    return out.getvalue().encode(encoding)


def with_column(name: str, value: Callable[[int, Row], object]) -> list[Row]:
    return [{name: value(i, row), **row} for i, row in enumerate(rows())]


def renamed(old: str, new: str) -> list[Row]:
    return [{new if key == old else key: value for key, value in row.items()} for row in rows()]


def comma(row: Row) -> Row:
    return {key: str(value).replace(".", ",") for key, value in row.items()}


def day(i: int) -> str:
    return f"2024-{1 + i // 28 % 12:02d}-{1 + i % 28:02d}"


def german(number: float) -> str:
    return f"{number:,.2f}".replace(",", " ").replace(".", ",").replace(" ", ".")


def counts() -> list[Row]:
    """Few different rows: without the target most of them repeat."""
    draw = np.random.default_rng(9)
    table: list[Row] = []
    for _ in range(N):
        x = int(draw.integers(0, 4))
        table.append({"x": x, "y": 10 * x + int(draw.integers(0, 40))})
    return table


def many_columns(columns: int) -> list[Row]:
    draw = np.random.default_rng(3)
    return [
        {**{f"c{j}": round(float(v), 3) for j, v in enumerate(draw.normal(size=columns))}, **row}
        for row in rows(120)
    ]


def regression() -> list[Row]:
    draw = np.random.default_rng(5)
    return [{**row, "y": round(3 * float(str(row["x"])) + float(draw.normal()), 3)} for row in rows()]
