"""Tables for a terminal: a header, and columns as wide as their widest cell."""

from collections.abc import Sequence


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of the table. Two spaces lie between columns; the last column is as long as its text."""
    whole = [header, *([cell.replace("\n", " ") for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in whole) for column in range(len(header) - 1)]
    return ["  ".join([*map(str.ljust, row, widths), row[-1]]).rstrip() for row in whole]
