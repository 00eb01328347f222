"""The column that says when a row was made."""

import re
from datetime import datetime, timedelta

import polars as pl
from pipeline.schema import Column
from refusal import DataRefused

MOSTLY_THERE = 0.2  # a time missing more often says when something happened, not when the row was made
RECENT = timedelta(days=45)  # half of the limit, so that nothing alarms on the first day
BIRTH = re.compile(r"birth|dob|born", re.IGNORECASE)


def time(
    frame: pl.DataFrame, columns: dict[str, Column], time_option: str | None, target: str
) -> tuple[str | None, list[str]]:
    """The column to split by: the one asked for, or the time with the most different values."""
    if time_option and columns[time_option].type != "time":
        example = frame[time_option].drop_nulls().head(1).to_list()
        raise DataRefused(
            f"The time column {time_option!r} does not hold times in a form that is known (such as {example}).\n"
            "Write them as 2026-01-31 or 2026-01-31 12:00:00, or leave --time out."
        )
    times = [
        name
        for name, column in columns.items()
        if column.type == "time"
        and column.use == "feature"
        and column.missing < MOSTLY_THERE
        and name != target
        and not BIRTH.search(name)
    ]
    chosen = time_option or max(times, key=lambda name: frame[name].n_unique(), default=None)
    if chosen:
        return chosen, [f"split: the newest rows by {chosen!r} are the test set"]
    return None, ["split: a seeded draw, because no column holds times"]


def is_recent(times: pl.Series) -> bool:
    """Whether the data seems to keep coming, so that old rows will mean that something broke."""
    newest = times.cast(pl.Datetime("us")).max()
    age = datetime.now() - newest if isinstance(newest, datetime) else None
    return age is not None and abs(age) < RECENT
