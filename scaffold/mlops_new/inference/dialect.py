"""How a CSV file is written: encoding, separator, decimal sign, newlines inside quotes."""

import codecs
import csv
import io
import re
from collections import Counter
from pathlib import Path
from typing import Any

import charset_normalizer

SEPARATORS = ",;\t|"
LOOKED_AT = 1 << 18  # bytes, to tell encoding and separator
COMMA_NUMBER = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d+),\d+")
BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def dialect(path: Path) -> dict[str, Any]:
    """What differs from UTF-8, comma and decimal point, as data/schema.yaml's `file` has it.

    Raises ValueError for a file that is not text.
    """
    content = path.read_bytes()
    found: dict[str, Any] = {"encoding": encoding(content)}
    text = content[:LOOKED_AT].decode(found["encoding"], errors="replace")
    if "\0" in text:
        raise ValueError(f"{path.name} is not text: it has zero bytes")
    found["separator"] = separator(text)
    found["decimal"] = decimal(text, found["separator"])
    found["newlines"] = any(line.count(b'"') % 2 for line in content.splitlines())
    usual = {"encoding": "utf-8", "separator": ",", "decimal": ".", "newlines": False}
    return {key: value for key, value in found.items() if value != usual[key]}


def encoding(content: bytes) -> str:
    for bom, name in BOMS.items():
        if content.startswith(bom):
            return name
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        unusual = b"\n".join(line for line in content.splitlines() if not line.isascii())
        best = charset_normalizer.from_bytes(unusual[:LOOKED_AT]).best()
        return best.encoding if best else "cp1252"
    return "utf-8"


def separator(text: str) -> str:
    """The candidate that splits most lines into the same number of fields, and into the most."""

    def order(candidate: str) -> tuple[float, int]:
        rows = [len(row) for row in csv.reader(io.StringIO(text), delimiter=candidate) if row]
        fields, lines = Counter(rows[:200]).most_common(1)[0]
        return (lines / len(rows[:200]) if fields > 1 else 0.0, fields)

    return max(SEPARATORS, key=order)


def decimal(text: str, separator: str) -> str:
    """A comma where some field is a number with a comma and none is one with a point."""
    if separator == ",":
        return "."
    rows = list(csv.reader(io.StringIO(text), delimiter=separator))[1:]
    fields = {field.strip() for row in rows for field in row}
    commas = sum(bool(COMMA_NUMBER.fullmatch(field)) for field in fields)
    points = sum(bool(re.fullmatch(r"[+-]?\d+\.\d+", field)) for field in fields)
    return "," if commas > points else "."
