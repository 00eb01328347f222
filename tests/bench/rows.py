"""CSV files of mixed columns, always the same: identifier, time, numbers, words, target."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from pathlib import Path

POOL = 20_000  # different values of a number column


def write(path: Path, rows: int, columns: int) -> None:
    """`columns` (at least 8) with 2 % of the values missing in every third; target `churned`."""
    draw = random.Random(20)
    wide = columns - 4  # beside id, seen_at, x0 and the target
    made: dict[str, Sequence[str]] = {
        "id": [f"c{row:07d}" for row in range(rows)],
        "seen_at": _moments(draw, rows),
    }
    first = draw.choices([draw.gauss(0, 1) for _ in range(POOL)], k=rows)
    made["x0"] = [f"{value:.4f}" for value in first]
    for number in range(wide):
        pool = _pool(draw, number)
        if number % 3 == 2:
            pool = pool + [""] * max(len(pool) // 50, 1)
        made[f"x{number + 1}"] = draw.choices(pool, k=rows)
    noise = draw.choices([draw.gauss(0, 1.5) for _ in range(POOL)], k=rows)
    made["churned"] = ["yes" if x + e > 0.8 else "no" for x, e in zip(first, noise, strict=True)]
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(",".join(made) + "\n")
        file.writelines(",".join(row) + "\n" for row in zip(*made.values(), strict=True))


def _pool(draw: random.Random, number: int) -> list[str]:
    """Of five columns three hold numbers, one integers, one words."""
    if number % 5 == 3:
        return [str(draw.randrange(500)) for _ in range(POOL)]
    if number % 5 == 4:
        words = ["north", "south", "east", "west", "overseas", "web", "phone", "shop"]
        return words[: 3 + number % 6] * 50
    return [f"{draw.gauss(10, 1 + number):.4f}" for _ in range(POOL)]


def _moments(draw: random.Random, rows: int) -> list[str]:
    start = datetime(2025, 1, 1)
    steps = accumulate(draw.choices(range(60), k=rows))
    return [(start + timedelta(seconds=step)).isoformat() for step in steps]
