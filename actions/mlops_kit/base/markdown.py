"""Text of others - commit subjects, slices, parameters - as Markdown that says it and does nothing else."""

import re
import unicodedata
from collections.abc import Collection, Sequence

JOINER = "\N{WORD JOINER}"  # invisible; keeps a mention, a reference or an address from being one
LONG = 200


def one_line(text: object, limit: int = LONG) -> str:
    """Without line ends, control and direction characters, which could show what is not there."""
    shown = "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in str(text))
    shown = " ".join(shown.split())
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def plain(text: object, limit: int = LONG) -> str:
    """Prose: no markup, HTML, mention, reference to an issue or link comes of it. Not for the start of a line."""
    shown = one_line(text, limit)
    shown = re.sub(r"([\\`*\[\]|~$])", r"\\\1", shown)
    shown = re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", shown)  # inside a word it is no emphasis
    shown = shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    shown = re.sub(r"(@|#|\bGH-)(?=\w)", rf"\1{JOINER}", shown, flags=re.IGNORECASE)
    return re.sub(r"(:(?=//)|\bwww(?=\.))", rf"\1{JOINER}", shown, flags=re.IGNORECASE)


def code(text: object, limit: int = LONG) -> str:
    """A name as it stands; nothing inside a code span is read as markup."""
    shown = one_line(text, limit) or " "
    fence = "`" * (max((len(run) for run in re.findall(r"`+", shown)), default=0) + 1)
    pad = " " if "`" in shown else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], right_aligned: Collection[int] = ()) -> str:
    """A Markdown table. Cells are Markdown already; the columns at the positions in `right_aligned` are aligned right."""
    rule = ["---:" if place in right_aligned else "---" for place in range(len(head))]
    lines = [rule if row is rule else [_cell(cell) for cell in row] for row in (head, rule, *rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(text: str) -> str:
    """A bar ends the cell even inside a code span, unless an odd number of backslashes stands before it."""
    return re.sub(r"(\\*)\|", lambda bar: bar[1] + ("" if len(bar[1]) % 2 else "\\") + "|", text)


def number(value: object) -> str:
    """Four significant digits; whole numbers whole, with thousands apart."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int) or (value.is_integer() and 100 <= abs(value) < 1e15):
        return f"{int(value):,}"
    return f"{value:.4g}" if abs(value) < 1e-3 or abs(value) >= 1e4 else f"{value:.4f}"


def size(count: int | None) -> str:
    if count is None:
        return "unknown size"
    amount, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
