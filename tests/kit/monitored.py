"""Tables whose every column has another family of distribution, and what is done to them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from mlops_kit.monitoring.reference import Reference, make
from mlops_kit.monitoring.windows import Window

Columns = dict[str, Any]
Change = Callable[[Columns], None]
LEVELS = list("abcdefgh")
SHARES = [0.4, 0.2, 0.1, 0.1, 0.1, 0.05, 0.045, 0.005]


def columns(draw: np.random.Generator, n: int, width: int = 8) -> Columns:
    made: list[Callable[[], Any]] = [
        lambda: draw.normal(size=n),
        lambda: draw.standard_t(2, size=n),  # heavy tails
        lambda: draw.poisson(3, n).astype(float),  # ties
        lambda: draw.random(n) < 0.1,
        lambda: draw.choice(LEVELS, n, p=SHARES),  # a rare level
        lambda: np.where(draw.random(n) < 0.2, np.nan, draw.exponential(size=n)),  # missing values
        lambda: np.datetime64("2026-01-01T00:00:00") + draw.integers(0, 86_400, n).astype("timedelta64[s]"),
        lambda: [f"{number:x}" * (1 + number % 4) for number in draw.integers(0, 1 << 40, n)],  # free text
    ]
    names = ["normal", "heavy", "count", "flag", "level", "holes", "when", "text"]
    return {names[at % 8] + str(at // 8 or ""): made[at % 8]() for at in range(width)}


def window(columns: Columns) -> Window:
    drawn = {name: pa.array(values, from_pandas=True) for name, values in columns.items()}
    return Window("made", len(next(iter(columns.values()))), drawn)


def reference(seed: int, n: int = 5000, width: int = 8) -> Reference:
    return make(window(columns(np.random.default_rng(seed), n, width)))
