"""Plots of the report's page: SVG that takes its colours from the page, so that it fits dark and light."""

import io
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from mlops_kit.curves import Curve
from mlops_kit.markup import one_line
from mlops_kit.metrics import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Colours that stand for the page's own and are replaced in the SVG; no other part of it has them.
INK, QUIET, ACCENT, AREA = "#010203", "#040506", "#070809", "#0a0b0c"
COLOURS = {INK: "currentColor", QUIET: "var(--quiet)", ACCENT: "var(--accent)", AREA: "var(--area)"}
SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",  # text stays text: smaller, and in the page's font
    "text.parse_math": False,  # a dollar in a column's name is no formula
    "font.family": ["sans-serif"],
    "font.size": 11,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": QUIET,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": QUIET,
    "grid.alpha": 0.25,
    "axes.grid": True,
    "axes.axisbelow": True,
}
MOST_BARS, MOST_CLASSES, NAME = 20, 15, 24


def curve(one: Curve) -> str:
    draw = {"bars": _bars, "confusion": _confusion, "scatter": _scatter}.get(one.kind, _line)
    height = 1.2 + 0.3 * min(len(one.x), MOST_BARS) if one.kind == "bars" else 3.6
    return _svg(lambda axes: draw(axes, one), height, f"curve-{one.title}")


def intervals(named: list[tuple[str, Figure]], label: str) -> str:
    """A point and its interval for each name, the first on top."""

    def draw(axes: "Axes") -> None:
        for place, (_, figure) in enumerate(named):
            if figure.low is not None and figure.high is not None:
                axes.plot([figure.low, figure.high], [place, place], color=ACCENT, linewidth=2, alpha=0.5)
            axes.plot([figure.value], [place], "o", color=ACCENT)
        axes.set_yticks(range(len(named)), [_short(name) for name, _ in named])
        axes.set_ylim(len(named) - 0.5, -0.5)
        axes.set_xlabel(_short(label))

    return _svg(draw, 1.0 + 0.28 * len(named), f"intervals-{label}")


def history(points: list[tuple[str, Figure]], label: str) -> str:
    """A metric over the versions; its interval as an area."""

    def draw(axes: "Axes") -> None:
        at = range(len(points))
        values = [figure.value for _, figure in points]
        low = [figure.value if figure.low is None else figure.low for _, figure in points]
        high = [figure.value if figure.high is None else figure.high for _, figure in points]
        axes.fill_between(at, low, high, color=AREA, linewidth=0)
        axes.plot(at, values, "o-", color=ACCENT)
        many = len(points) > 6
        names = [_short(name) for name, _ in points]
        axes.set_xticks(at, names, rotation=45 if many else 0, ha="right" if many else "center")
        axes.set_title(_short(label), loc="left", fontsize=11)

    return _svg(draw, 2.4, f"history-{label}")


# ---- kinds ----


def _line(axes: "Axes", one: Curve) -> None:
    if one.diagonal:
        axes.plot([0, 1], [0, 1], color=QUIET, linestyle="--", linewidth=1, transform=axes.transAxes)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1.02)
    few = len(one.x) <= 30
    axes.plot(one.x, one.y, "o-" if few else "-", color=ACCENT, linewidth=2, markersize=4)
    _labels(axes, one)


def _scatter(axes: "Axes", one: Curve) -> None:
    axes.scatter(one.x, one.y, s=10, color=ACCENT, alpha=0.4, linewidths=0)
    if min(one.y) < 0 < max(one.y):
        axes.axhline(0, color=QUIET, linestyle="--", linewidth=1)
    _labels(axes, one)


def _bars(axes: "Axes", one: Curve) -> None:
    pairs = sorted(zip(one.x, one.y, strict=True), key=lambda pair: -pair[0])[:MOST_BARS]
    axes.barh(range(len(pairs)), [value for value, _ in pairs], color=ACCENT)
    axes.set_yticks(range(len(pairs)), [_short(str(name)) for _, name in pairs])
    axes.invert_yaxis()
    axes.set_xlabel(_short(one.x_label))
    axes.grid(axis="y", visible=False)


def _confusion(axes: "Axes", one: Curve) -> None:
    """Rows of the actual class as shares, with their numbers."""
    pairs = Counter(zip(map(str, one.x), map(str, one.y), strict=True))
    names = [name for name, _ in Counter(str(x) for x in one.x).most_common(MOST_CLASSES)]
    for row, actual in enumerate(names):
        whole = sum(n for (was, _), n in pairs.items() if was == actual) or 1
        for column, predicted in enumerate(names):
            n = pairs[actual, predicted]
            alpha = 0.05 + 0.75 * n / whole
            axes.fill_between(
                [column - 0.5, column + 0.5], row - 0.5, row + 0.5, color=ACCENT, alpha=alpha, lw=0
            )
            axes.text(column, row, f"{n:,}", ha="center", va="center", fontsize=9)
    axes.set_xticks(range(len(names)), [_short(name) for name in names], rotation=45, ha="right")
    axes.set_yticks(range(len(names)), [_short(name) for name in names])
    axes.set_xlim(-0.5, len(names) - 0.5)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(visible=False)
    axes.set_xlabel("predicted")
    axes.set_ylabel("actual")


def _labels(axes: "Axes", one: Curve) -> None:
    axes.set_xlabel(_short(one.x_label.replace("_", " ")))
    axes.set_ylabel(_short(one.y_label.replace("_", " ")))


def _short(text: str) -> str:
    return one_line(text, NAME)


def _svg(draw: Any, height: float, salt: str) -> str:
    """`salt` keeps the ids of one plot apart from another's on the page, and the same from run to run."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure as Canvas

    settings: Any = SETTINGS | {"svg.hashsalt": salt}
    with rc_context(settings):
        figure = Canvas(figsize=(5.2, height), layout="constrained")
        figure.patch.set_alpha(0)
        axes = figure.add_subplot()
        axes.patch.set_alpha(0)
        draw(axes)
        into = io.StringIO()
        FigureCanvasSVG(figure).print_figure(into, format="svg", metadata={"Date": None, "Creator": None})
    return _inline(into.getvalue())


def _inline(text: str) -> str:
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'<g id="[A-Za-z][\w.]*_\d+"', "<g", text)  # the same in each plot, and used by nothing
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    for stand_in, colour in COLOURS.items():
        text = text.replace(stand_in, colour)
    return text.replace("<svg", '<svg role="img"', 1).strip()
