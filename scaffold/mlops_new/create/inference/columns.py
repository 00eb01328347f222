"""What each column holds, and whether a model should see it."""

import math
import re
from typing import Any

import polars as pl
from pipeline.coerce import FALSE, TRUE, normalize_numbers, parse_times
from pipeline.schema import Column

LEVELS_LISTED = 50  # a category with more values is not checked value by value
LEVELS = 0.5  # of the rows: a text with more different values is no category
LARGEST = 2**63 - 1
LONG = 60  # characters: longer on average is text, not a category
FEW_WORDS = 0.1  # of the values
YES_OR_NO = ({"yes", "no", "y", "n"}, {"true", "false", "t", "f"})
UNNAMED = re.compile(r"column_0|unnamed: 0")  # what pandas and R write in front of the rows
DATED = r"^(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})\b"
NAMED_ID = re.compile(r"(^|[\W_])(id|ids|key|uuid|guid|no|nr|number|index|idx|row|rowid)($|[\W_])")

DAYS = [
    *("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d-%m-%Y", "%d.%m.%y"),
    *("%m/%d/%Y", "%d/%m/%Y", "%m/%d/%y", "%d/%m/%y"),  # the first that reads every value wins
    *("%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y", "%a, %d %b %Y"),
    *("%Y-%m", "%Y/%m", "%b %Y", "%B %Y", "%Y%m%d"),
]
DAY_AS_NUMBER = r"^(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$"  # 20260131
CLOCKS = ("", " %H:%M:%S%.f", "T%H:%M:%S%.f", " %H:%M", "T%H:%M", " %I:%M %p", " %I:%M:%S %p")
ZONES = ("", "%#z", " %#z", " UTC", " GMT")


def column(values: pl.Series, decimal: str) -> Column:
    """Type, use, range, values and missing share of a column as it was read: text, or Parquet's types."""
    known = values.drop_nulls()
    share = values.null_count() / max(len(values), 1)
    about = {"missing": min(1.0, math.ceil(share * 150 + 2) / 100) if share else 0.0}
    if known.is_empty():
        return Column("text", "ignored", because="it has no values", **about)
    kind, form = _type(known, decimal)
    if kind is None:
        return Column("text", "ignored", because=f"it holds {values.dtype.base_type()}, no type that is read")
    if known.n_unique() == 1 and len(known) == len(values):
        return Column(kind, "ignored", because="it has the same value in every row", format=form)
    if (
        reason := _nearly_numbers(known, kind, decimal)
        or _nearly_times(known, kind)
        or _identifies(known, kind, values.name)
        or _is_text(known, kind)
    ):
        return Column(kind, "ignored", because=reason, format=form, **about)
    if kind in ("integer", "number"):
        about |= _range(_numbers(known, decimal), kind)
    if kind == "category" and known.n_unique() <= LEVELS_LISTED:
        about["values"] = known.cast(pl.String).unique().sort().to_list()
    return Column(kind, format=form, **about)


def _type(known: pl.Series, decimal: str) -> tuple[str | None, str | None]:
    """The type, and for a time written as text its format."""
    if known.dtype == pl.String:
        return _type_of_text(known, decimal)
    if known.dtype in (pl.Date, pl.Datetime):
        return "time", None
    if known.dtype == pl.Boolean:
        return "boolean", None
    if known.dtype.is_integer():
        return ("integer" if int(known.max()) <= LARGEST else "category"), None
    if known.dtype.is_numeric():
        return "number", None
    return ("category", None) if known.dtype in (pl.Categorical, pl.Enum) else (None, None)


def _type_of_text(known: pl.Series, decimal: str) -> tuple[str, str | None]:
    if _says_yes_or_no(known):
        return "boolean", None
    if known.str.contains(DAY_AS_NUMBER).all() and (form := time_format(known)):
        return "time", form
    if known.str.contains(r"^[+-]?\d{1,18}$").all():
        coded = known.str.contains(r"^0\d").any()  # postal codes and the like are not amounts
        return ("category" if coded else "integer"), None
    if known.str.contains(r"^\d+$").all():  # no amount, and a number would lose its digits
        return "category", None
    if _numbers(known, decimal).null_count() == 0:
        return "number", None
    form = time_format(known)
    return ("time", form) if form else ("category", None)


def _says_yes_or_no(known: pl.Series) -> bool:
    """In words of one kind: y and t are two categories."""
    words = {word.lower() for word in known.head(1000).unique()}
    return any(words <= kind for kind in YES_OR_NO) and bool(known.is_in([*TRUE, *FALSE]).all())


def _numbers(values: pl.Series, decimal: str) -> pl.Series:
    if values.dtype == pl.String:
        values = normalize_numbers(values, decimal)
    return values.cast(pl.Float64, strict=False)


def time_format(values: pl.Series) -> str | None:
    """The first format that reads every value, month before day where both do."""
    first = values.head(20)
    if not first.str.contains(rf"\d[-/. ]|[a-z] \d|{DAY_AS_NUMBER}").all():
        return None
    for day in DAYS:
        for clock in CLOCKS:
            for zone in ZONES if clock else ("",):
                form = day + clock + zone
                if not parse_times(first, form).null_count() and not parse_times(values, form).null_count():
                    return form
    return None


def ambiguous(values: pl.Series, form: str | None) -> bool:
    """Whether day and month could as well be the other way round."""
    other = str(form).replace("%m/%d", "%d/%m")
    return other != form and not parse_times(values.drop_nulls(), other).null_count()


def _identifies(known: pl.Series, kind: str, name: str) -> str:
    """Why the column only tells rows apart, or nothing."""
    if kind not in ("integer", "category") or known.n_unique() < len(known) or len(known) < 20:
        return ""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    named = bool(NAMED_ID.search(words) or UNNAMED.fullmatch(words))
    if kind == "integer":
        counted = bool((known.cast(pl.Int64).diff().drop_nulls() == 1).all())
        return "every row has its own number" if named or counted else ""
    return (
        "" if known.cast(pl.String).str.contains(r"\s\S+\s").mean() > 0.5 else "every row has its own value"
    )


def _nearly_numbers(known: pl.Series, kind: str, decimal: str) -> str:
    """A few words among numbers: a category would hide the numbers, so the owner must say."""
    if kind != "category" or known.dtype != pl.String or known.n_unique() <= LEVELS_LISTED:
        return ""
    odd = known.filter(_numbers(known, decimal).is_null())
    if 0 < len(odd) < FEW_WORDS * len(known):
        return f"numbers, but for {len(odd)} values such as {odd[0]!r}"
    return ""


def _nearly_times(known: pl.Series, kind: str) -> str:
    """The same for a few words among times, and for times that no one format reads."""
    if kind != "category" or known.dtype != pl.String:
        return ""
    if known.str.contains(DATED).all():
        lengths = known.str.len_chars()
        shown = sorted({known[lengths.arg_min()], known[lengths.arg_max()]})
        return f"times in no form that is known, or in several, such as {' and '.join(map(repr, shown))}"
    dated = known.str.contains(r"^\d+[-/.]\d")
    odd = known.filter(~dated)
    if 0 < len(odd) < FEW_WORDS * len(known) and time_format(known.filter(dated)):
        return f"times, but for {len(odd)} values such as {odd[0]!r}"
    return ""


def _is_text(known: pl.Series, kind: str) -> str:
    if kind != "category" or known.dtype != pl.String:
        return ""
    levels = known.n_unique()
    if levels > max(LEVELS * len(known), 20) or (known.str.len_chars().mean() or 0) > LONG:
        return f"free text: {levels} different values in {len(known)} rows"
    return ""


def _range(numbers: pl.Series, kind: str) -> dict[str, Any]:
    """What was seen, and half as much again on both sides; never below zero where nothing was."""
    low, high = float(numbers.min()), float(numbers.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        return {}
    room = (high - low) / 2
    low, high = (low - room if low < 0 else max(0.0, low - room)), high + room
    if kind == "integer":
        return {"min": math.floor(low), "max": math.ceil(high)}
    digits = 2 - math.floor(math.log10(room)) if room > 0 else 2
    step = 10.0**digits
    return {"min": round(math.floor(low * step) / step, 12), "max": round(math.ceil(high * step) / step, 12)}
