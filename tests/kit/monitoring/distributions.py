"""Tables whose every column has another family of distribution, and what is done to them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from mlops_kit.monitoring.reference import Reference, make
from mlops_kit.predictions_log.window import Window

Columns = dict[str, Any]
Change = Callable[[Columns], None]
FAMILIES = ("normal", "heavy", "count", "flag", "level", "holes")
DAY = np.datetime64("2026-01-01T00:00:00")
LEVELS = list("abcdefgh")
SHARES = [0.4, 0.2, 0.1, 0.1, 0.1, 0.05, 0.045, 0.005]


def columns(draw: np.random.Generator, n: int, width: int = 8, family: str = "") -> Columns:
    """Of every family in turn, or of one."""
    made: dict[str, Callable[[], Any]] = {
        "normal": lambda: draw.normal(size=n),
        "heavy": lambda: draw.standard_t(2, size=n),
        "count": lambda: draw.poisson(3, n).astype(float),  # ties
        "flag": lambda: draw.random(n) < 0.1,
        "level": lambda: draw.choice(LEVELS, n, p=SHARES),  # a rare level
        "holes": lambda: np.where(draw.random(n) < 0.2, np.nan, draw.exponential(size=n)),  # missing values
        "when": lambda: DAY + draw.integers(0, 86_400, n).astype("timedelta64[s]"),
        "text": lambda: [f"{number:x}" * (1 + number % 4) for number in draw.integers(0, 1 << 40, n)],
    }
    names = [family] if family else list(made)
    chosen = [(names[at % len(names)], at // len(names)) for at in range(width)]
    return {name + str(turn or ""): made[name]() for name, turn in chosen}


def window(columns: Columns) -> Window:
    drawn = {name: pa.array(values, from_pandas=True) for name, values in columns.items()}
    return Window("made", len(next(iter(columns.values()))), drawn)


def reference(seed: int, n: int = 5000, width: int = 8) -> Reference:
    return make(window(columns(np.random.default_rng(seed), n, width)))
