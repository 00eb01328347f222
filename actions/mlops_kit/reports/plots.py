"""Plots of the report's page."""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from mlops_kit.base.markdown import one_line
from mlops_kit.data.metrics_file import Metric
from mlops_kit.reports.curves import Curve
from mlops_kit.reports.svg import QUIET, Axes, Point, Scale, names, numbers

MOST_BARS, MOST_CLASSES, NAME = 20, 15, 24
FEW = 30  # points of a line that are marked one by one
INCH = 72.0


def curve(data: Curve) -> str:
    draw = {"bars": _bars, "confusion": _confusion, "scatter": _scatter}.get(data.kind, _line)
    return draw(data).svg()


def intervals(named: list[tuple[str, Metric]], label: str) -> str:
    """Return a plot with a point and its interval for each name, the first on top."""
    ends = [end for _, one in named for end in _ends(one)]
    side = names([_shorten(name) for name, _ in named], grid=True)
    axes = Axes((1.0 + 0.28 * len(named)) * INCH, numbers(ends, _shorten(label)), side, down=True)
    for place, (_, figure) in enumerate(named):
        axes.line([(end, place) for end in _ends(figure)], opacity=0.5)
    axes.dots([(figure.value, place) for place, (_, figure) in enumerate(named)], 3)
    return axes.svg()


def history(points: list[tuple[str, Metric]], label: str, reference: float | None = None) -> str:
    """Return a plot of a metric over versions or weeks, with its interval as an area. NaN is a gap.

    `reference` is a line to compare with.
    """
    known = [end for _, figure in points if figure.is_number for end in _ends(figure)]
    known += [] if reference is None else [reference]
    axes = Axes(2.4 * INCH, _below(points), numbers(known or [0.0, 1.0]), title=_shorten(label))
    if reference is not None:
        axes.line([(-0.5, reference), (len(points) - 0.5, reference)], QUIET, 1, dashed=True)
    for run in _runs_without_gap([figure for _, figure in points]):
        axes.area(
            [*((at, _ends(one)[1]) for at, one in run), *((at, _ends(one)[0]) for at, one in run[::-1])]
        )
        axes.line([(at, one.value) for at, one in run], width=1.5)
        axes.dots([(at, one.value) for at, one in run], 3)
    return axes.svg()


def counts(points: list[tuple[str, int]], label: str) -> str:
    """Return a bar chart of counts, from zero."""
    most = max([1, *(many for _, many in points)])
    axes = Axes(
        2.4 * INCH, _below(points), numbers([0, most], within=(0, 1.05 * most)), title=_shorten(label)
    )
    for at, (_, many) in enumerate(points):
        axes.box((at - 0.4, 0), (at + 0.4, many), 0.8)
    return axes.svg()


def _below(points: Sequence[tuple[str, object]]) -> Scale:
    return names([_shorten(name) for name, _ in points], slanted=len(points) > 6, grid=True)


def _runs_without_gap(figures: list[Metric]) -> list[list[tuple[int, Metric]]]:
    """Places and figures that follow each other without a gap."""
    places = groupby(enumerate(figures), key=lambda pair: pair[1].is_number)
    return [list(run) for known, run in places if known]


def _ends(metric: Metric) -> Point:
    """The ends of the metric's interval; its value if it has no interval."""
    low, high = (
        metric.value if end is None or not math.isfinite(end) else end for end in (metric.low, metric.high)
    )
    return low, high


# ---- kinds ----


def _line(data: Curve) -> Axes:
    points = list(zip(data.x, data.y, strict=True))
    if data.diagonal:
        axes = _plane(data, (0, 1), (0, 1.02))
        axes.line([(0, 0), (1, 1)], QUIET, 1, dashed=True)
    else:
        axes = _plane(data)
    axes.line(points)
    if len(points) <= FEW:
        axes.dots(points, 2)
    return axes


def _scatter(data: Curve) -> Axes:
    axes = _plane(data)
    axes.dots(list(zip(data.x, data.y, strict=True)), 1.6, 0.4)
    if min(data.y) < 0 < max(data.y):
        axes.line([(axes.x.low, 0), (axes.x.high, 0)], QUIET, 1, dashed=True)
    return axes


def _plane(data: Curve, x: Point | None = None, y: Point | None = None) -> Axes:
    across, along = (_shorten(label.replace("_", " ")) for label in (data.x_label, data.y_label))
    return Axes(3.6 * INCH, numbers(data.x, across, x), numbers(data.y, along, y))


def _bars(data: Curve) -> Axes:
    pairs = sorted(zip(data.x, data.y, strict=True), key=lambda pair: -pair[0])[:MOST_BARS]
    across = numbers([0.0, *(value for value, _ in pairs)], _shorten(data.x_label))
    side = names([_shorten(str(name)) for _, name in pairs])
    axes = Axes((1.2 + 0.3 * len(pairs)) * INCH, across, side, down=True)
    for place, (value, _) in enumerate(pairs):
        axes.box((0, place - 0.4), (value, place + 0.4))
    return axes


def _confusion(data: Curve) -> Axes:
    """Rows of the actual class as shares, with their numbers."""
    pairs = Counter(zip(map(str, data.x), map(str, data.y), strict=True))
    classes = [name for name, _ in Counter(str(x) for x in data.x).most_common(MOST_CLASSES)]
    shown = [_shorten(name) for name in classes]
    axes = Axes(3.6 * INCH, names(shown, "predicted", slanted=True), names(shown, "actual"), down=True)
    for row, actual in enumerate(classes):
        whole = sum(n for (was, _), n in pairs.items() if was == actual) or 1
        for column, predicted in enumerate(classes):
            n = pairs[actual, predicted]
            axes.box((column - 0.5, row - 0.5), (column + 0.5, row + 0.5), 0.05 + 0.75 * n / whole)
            axes.text((column, row), f"{n:,}", 9)
    return axes


def _shorten(text: str) -> str:
    return one_line(text, NAME)
