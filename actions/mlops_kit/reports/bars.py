"""A metric's interval as a bar of text."""

from mlops_kit.data.metrics_file import Metric

WIDTH = 25  # characters of an interval's bar


def scale(figures: list[Metric]) -> tuple[float, float]:
    low = min(one.value if one.low is None else one.low for one in figures)
    high = max(one.value if one.high is None else one.high for one in figures)
    return low, high


def bar(figure: Metric, low: float, high: float) -> str:
    def place(value: float) -> int:
        share = (value - low) / (high - low) if high > low else 0.5
        return round(max(0.0, min(share, 1.0)) * (WIDTH - 1))

    signs = ["·"] * WIDTH
    if figure.low is not None and figure.high is not None:
        for at in range(place(figure.low), place(figure.high) + 1):
            signs[at] = "─"
    signs[place(figure.value)] = "●"
    return "".join(signs)
