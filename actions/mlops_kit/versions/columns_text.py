"""How a column moved, in words: a mean, a spread, shares of values, missing values."""

from datetime import UTC, datetime, timedelta

from mlops_kit.base.markdown import code, number
from mlops_kit.data.columns import LEAST_SDS, Move, Numbers

MOST_SHARES = 3
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def move_in_words(move: Move) -> str:
    """Markdown, for instance `distance`: mean 812 → 1,020 (+0.4 sd)."""
    return f"{code(move.name)}: {_move_text(move)}"


def _move_text(move: Move) -> str:
    old, new = move.before, move.after
    if move.what == "missing":
        return f"missing {_percent(old.missing)} → {_percent(new.missing)}"
    if old.numbers and new.numbers:
        return _numbers(old.numbers, new.numbers, is_time=new.type == "time")
    if old.values and new.values:
        return _shares(old.values.shares, new.values.shares)
    if old.lengths and new.lengths:
        return f"mean length {_three_digits(old.lengths.mean)} → {_three_digits(new.lengths.mean)}"
    return "moved"


def _numbers(old: Numbers, new: Numbers, *, is_time: bool) -> str:
    shown = _day if is_time else _three_digits
    sds = (new.mean - old.mean) / old.sd if old.sd else None
    if sds is not None and abs(sds) < LEAST_SDS:
        ends = [f"{shown(numbers.quantiles[0])} to {shown(numbers.quantiles[-1])}" for numbers in (old, new)]
        return f"90 % of it {ends[0]} → {ends[1]}, around the same mean"
    by = f" ({sds:+.2g} sd)" if sds is not None else ""
    return f"mean {shown(old.mean)} → {shown(new.mean)}{by}"


def _three_digits(value: float) -> str:
    """Round to three significant digits, large numbers to whole ones."""
    return number(round(value)) if abs(value) >= 100 else f"{value:.3g}"


def _day(seconds: float) -> str:
    try:
        return f"{EPOCH + timedelta(seconds=seconds):%Y-%m-%d}"
    except OverflowError:
        return f"{seconds:.3g} s since 1970"


def _shares(old: dict[str, float], new: dict[str, float]) -> str:
    apart = {value: new.get(value, 0.0) - old.get(value, 0.0) for value in {**old, **new}}
    most = sorted(apart, key=lambda value: (-abs(apart[value]), value))[:MOST_SHARES]
    parts = [
        f"{code(value, 40)} {_percent(old.get(value, 0.0))} → {_percent(new.get(value, 0.0))}"
        for value in most
    ]
    return ", ".join(parts)


def _percent(share: float) -> str:
    """Nothing is 0 % that is not nothing."""
    percent = share * 100
    return "<0.1 %" if 0 < percent < 0.1 else f"{percent:.0f} %" if percent >= 10 else f"{percent:.2g} %"
