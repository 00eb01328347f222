"""Seasons: compare a window with the rows of the reference from the same month or weekday."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mlops_kit.base import clock
from mlops_kit.monitoring.reference import Reference
from mlops_kit.predictions_log.lines import AHEAD
from mlops_kit.predictions_log.window import Window
from mlops_kit.statistics import bins
from mlops_kit.statistics.resampling import BLOCK, LEAST_REFERENCE

DAY, THURSDAY = 86_400, 3  # 1970 began on one
LEAST_DAYS = 8  # with the same weekday: with fewer, one unusual day looks like the weekday's pattern
MAY_BE = "what moved may be the season"
Times = npt.NDArray[np.int64]


def alike(reference: Reference, window: Window, time: str | None) -> tuple[Reference, list[str]]:
    """The reference's rows of the same month or weekday, if it spans all months or many weeks; and notes on what it lacks."""
    if time is None:
        return reference, ["no time column is named (monitoring.time): seasons are not told from drift"]
    if reference.times is None or time not in window.drawn:
        return reference, [f"the column {time!r} is not there: seasons are not told from drift"]
    try:
        moments = bins.moments(window.drawn[time]).drop_null().cast(pa.int64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return reference, [f"{time!r} holds no times: seasons are not told from drift"]
    times = np.asarray(moments)
    if not len(times):
        return reference, [f"{time!r} is empty: seasons are not told from drift"]
    notes = _odd(window.drawn[time].type, times, time)
    seasonal, notes_on_season = _of_season(reference, times)
    return seasonal, [*notes, *notes_on_season]


def _odd(kind: pa.DataType, times: Times, time: str) -> list[str]:
    """Notes on times that are probably wrong."""
    notes = []
    if pa.types.is_timestamp(kind) and kind.tz not in (None, "UTC"):
        notes.append(f"{time!r} is in the zone {kind.tz} and is compared in UTC, as times without a zone are")
    if late := int((times > (clock.now() + AHEAD).timestamp()).sum()):
        notes.append(f"{late:,} of {len(times):,} rows are later than now, by {time!r}")
    return notes


def _of_season(reference: Reference, times: Times) -> tuple[Reference, list[str]]:
    assert reference.times is not None
    months_of_reference, months_of_window = _months(reference.times), _months(times)
    unknown = sorted(
        {int(one) for one in np.unique(months_of_window)}
        - {int(one) for one in np.unique(months_of_reference)}
    )
    if unknown:
        months = ", ".join(map(str, unknown))
        return reference, [f"the reference has no row of month {months}: {MAY_BE}"]
    if len(np.unique(months_of_reference)) == 12 and len(np.unique(months_of_window)) == 1:
        return _only(
            reference,
            months_of_reference == months_of_window[0],
            f"compared with the reference's rows of month {months_of_window[0]}",
        )
    days = _weekdays(reference.times)
    day = _weekdays(times)[0]
    same = days == day
    if (_weekdays(times) == day).all() and len(np.unique(reference.times[same] // DAY)) >= LEAST_DAYS:
        return _only(
            reference, same, f"compared with the reference's rows of weekday {day + 1} (1 is Monday)"
        )
    return reference, []


def _only(reference: Reference, rows: npt.NDArray[np.bool_], note: str) -> tuple[Reference, list[str]]:
    n = int(rows.sum()) // BLOCK * BLOCK
    if n < LEAST_REFERENCE or reference.times is None:
        return reference, [f"the reference has too few rows of this season: {MAY_BE}"]
    codes, times = reference.codes[rows][-n:], reference.times[rows][-n:]
    return replace(reference, codes=codes, times=times, limits={}), [note]


def _months(times: Times) -> Times:
    return np.asarray(times.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64) % 12 + 1)


def _weekdays(times: Times) -> Times:
    return np.asarray((times // DAY + THURSDAY) % 7)
