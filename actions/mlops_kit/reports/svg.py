"""A frame with two scales, and marks in it: SVG that takes its colours and its font from the page around it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Literal

INK, QUIET, ACCENT, AREA = "currentColor", "var(--quiet)", "var(--accent)", "var(--area)"
WIDTH, FONT = 374.0, 11.0  # of the picture's own unit; the page makes it as wide as there is room
LETTER = 0.6 * FONT  # nobody measures text here: a little more than the mean of the fonts that systems have
AIR = 4.0
MOST_TICKS = 7

Point = tuple[float, float]


@dataclass(frozen=True)
class Scale:
    """From `low` to `high` along one side, with names or numbers at its ticks."""

    low: float
    high: float
    ticks: dict[float, str]
    label: str = ""
    grid: bool = True
    slanted: bool = False

    def share(self, value: float) -> float:
        return (value - self.low) / (self.high - self.low)

    @property
    def widest(self) -> float:
        return LETTER * max((len(text) for text in self.ticks.values()), default=0)


def numbers(
    values: Sequence[float], label: str = "", within: tuple[float, float] | None = None, grid: bool = True
) -> Scale:
    """A scale with some air around the values, or `within` bounds that they may still exceed."""
    low, high = min(values), max(values)
    if within:
        low, high = min(low, within[0]), max(high, within[1])
    else:
        air = (high - low) * 0.05 or abs(high) * 0.05 or 0.05
        low, high = low - air, high + air
    return Scale(low, high, _ticks(low, high), label, grid)


def names(those: Sequence[str], label: str = "", slanted: bool = False, *, grid: bool = False) -> Scale:
    """One place each, at 0, 1, 2 and so on."""
    return Scale(-0.5, len(those) - 0.5, dict(enumerate(those)), label, grid, slanted)


def _ticks(low: float, high: float) -> dict[float, str]:
    """Ticks at multiples of 1, 2 or 5 and a power of ten, with the decimals that tell them apart."""
    rough = (high - low) / MOST_TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(times for times in (1, 2, 5, 10) if times * power >= rough * 0.999)
    places = max(0, -math.floor(math.log10(step) + 1e-9))
    at = [n * step for n in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]
    large = max(abs(low), abs(high))
    plain = places <= 5 and large < 1e7
    return {value: f"{value + 0.0:,.{places}f}" if plain else f"{value:.4g}" for value in at}


@dataclass
class Axes:
    """`x` goes to the right; `y` upwards, or with `down` from the top, as a list is read."""

    height: float
    x: Scale
    y: Scale
    title: str = ""
    down: bool = False
    marks: list[str] = field(default_factory=list)

    # ---- where things are ----

    @property
    def _left(self) -> float:
        return max(2 * AIR + self.y.widest + (FONT + AIR if self.y.label else 0), self._slant)

    @property
    def _slant(self) -> float:
        """The left margin at which no slanted name is cut."""
        if not self.x.slanted:
            return 0.0
        places = [(self.x.share(at), 0.7 * LETTER * len(name) + 2 * AIR) for at, name in self.x.ticks.items()]
        return max(((lean - share * self._right) / (1 - share) for share, lean in places), default=0.0)

    @property
    def _right(self) -> float:
        last = len(list(self.x.ticks.values())[-1]) if self.x.ticks else 0
        return WIDTH - max(2 * AIR, LETTER * last / 2 if not self.x.slanted else 0)

    @property
    def _top(self) -> float:
        return FONT + 2 * AIR if self.title else 2 * AIR

    @property
    def _bottom(self) -> float:
        ticks = 0.7 * self.x.widest + AIR if self.x.slanted else FONT
        return self.height - 2 * AIR - ticks - (FONT + AIR if self.x.label else 0)

    def across(self, value: float) -> float:
        return self._left + self.x.share(value) * (self._right - self._left)

    def along(self, value: float) -> float:
        share = self.y.share(value) if self.down else 1 - self.y.share(value)
        return self._top + share * (self._bottom - self._top)

    # ---- marks, in the data's own numbers ----

    def line(
        self,
        points: Sequence[Point],
        colour: str = ACCENT,
        width: float = 2,
        opacity: float = 1,
        *,
        dashed: bool = False,
    ) -> None:
        dashes = ' stroke-dasharray="4 3"' if dashed else ""
        self.marks.append(
            f'<polyline points="{self._points(points)}" fill="none" stroke="{colour}" stroke-width="{width}" '
            f'stroke-linejoin="round"{_opacity(opacity)}{dashes}/>'
        )

    def area(self, points: Sequence[Point]) -> None:
        self.marks.append(f'<polygon points="{self._points(points)}" fill="{AREA}"/>')

    def dots(self, points: Sequence[Point], radius: float = 2.5, opacity: float = 1) -> None:
        dots = (
            f'<circle cx="{_n(self.across(x))}" cy="{_n(self.along(y))}" r="{radius}"/>' for x, y in points
        )
        self.marks.append(f'<g fill="{ACCENT}"{_opacity(opacity)}>{"".join(dots)}</g>')

    def box(self, corner: Point, opposite: Point, opacity: float = 1) -> None:
        """Draw a rectangle between two opposite corners."""
        left, right = sorted((self.across(corner[0]), self.across(opposite[0])))
        top, bottom = sorted((self.along(corner[1]), self.along(opposite[1])))
        self.marks.append(
            f'<rect x="{_n(left)}" y="{_n(top)}" width="{_n(right - left)}" height="{_n(bottom - top)}" '
            f'fill="{ACCENT}"{_opacity(opacity)}/>'
        )

    def text(self, at: Point, text: str, size: float = FONT) -> None:
        self.marks.append(_text(self.across(at[0]), self.along(at[1]) + size / 3, text, "middle", size=size))

    def _points(self, points: Sequence[Point]) -> str:
        return " ".join(f"{_n(self.across(x))},{_n(self.along(y))}" for x, y in points)

    # ---- the whole ----

    def svg(self) -> str:
        parts = [*self._x_side(), *self._y_side(), *self.marks, self._frame()]
        if self.title:
            parts.append(_text(self._left, FONT, self.title, "start"))
        return (
            f'<svg role="img" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(WIDTH)} {_n(self.height)}">'
            f"{''.join(parts)}</svg>"
        )

    def _frame(self) -> str:
        """The left and the bottom line of the frame."""
        corners = f"{_n(self._left)},{_n(self._top)} {_n(self._left)},{_n(self._bottom)} {_n(self._right)},{_n(self._bottom)}"
        return f'<polyline points="{corners}" fill="none" stroke="{QUIET}" stroke-width="0.8"/>'

    def _x_side(self) -> list[str]:
        parts = []
        for value, name in self._legible():
            at = self.across(value)
            if self.x.grid:
                parts.append(_rule(at, self._top, at, self._bottom, 0.25))
            parts.append(_rule(at, self._bottom, at, self._bottom + 3))
            where = at, self._bottom + AIR + (AIR if self.x.slanted else FONT)
            parts.append(_text(*where, name, *(("end", -45) if self.x.slanted else ("middle", 0))))
        if self.x.label:
            middle = (self._left + self._right) / 2
            parts.append(_text(middle, self.height - AIR, self.x.label, "middle"))
        return parts

    def _legible(self) -> list[tuple[float, str]]:
        """The ticks below that can be read side by side: each, or every second, third and so on."""
        ticks = list(self.x.ticks.items())
        room = (self._right - self._left) / (self.x.high - self.x.low)
        apart = (ticks[1][0] - ticks[0][0]) * room if len(ticks) > 1 else WIDTH
        return ticks if self.x.slanted else ticks[:: math.ceil((self.x.widest + AIR) / apart)]

    def _y_side(self) -> list[str]:
        parts = []
        for value, name in self.y.ticks.items():
            at = self.along(value)
            if self.y.grid:
                parts.append(_rule(self._left, at, self._right, at, 0.25))
            parts.append(_rule(self._left - 3, at, self._left, at))
            parts.append(_text(self._left - 1.5 * AIR, at + FONT / 3, name, "end"))
        if self.y.label:
            parts.append(_text(FONT, (self._top + self._bottom) / 2, self.y.label, "middle", -90))
        return parts


def _rule(x: float, y: float, to_x: float, to_y: float, opacity: float = 1) -> str:
    where = f'x1="{_n(x)}" y1="{_n(y)}" x2="{_n(to_x)}" y2="{_n(to_y)}"'
    return f'<line {where} stroke="{QUIET}" stroke-width="0.8"{_opacity(opacity)}/>'


def _text(
    x: float,
    y: float,
    text: str,
    anchor: Literal["start", "middle", "end"] | str,
    turned: int = 0,
    size: float = FONT,
) -> str:
    turn = f' transform="rotate({turned} {_n(x)} {_n(y)})"' if turned else ""
    where = f'x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}" font-size="{_n(size)}"'
    return f'<text {where} fill="{INK}"{turn}>{escape(text)}</text>'


def _opacity(opacity: float) -> str:
    return "" if opacity == 1 else f' opacity="{opacity:.2f}"'


def _n(value: float) -> str:
    """Two decimals of a unit are less than anybody sees."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
