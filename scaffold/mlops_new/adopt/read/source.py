"""Read Python code: scripts in any encoding, and notebooks with their magics."""

import ast
import json
import re
import sys
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MAGIC = re.compile(r"^\s*(?:[%!?]|[\w.]+\?{1,2}\s*$)")
TIMED = ("%%time", "%%timeit", "%%capture")


@dataclass(frozen=True)
class Cell:
    """A code cell. `number` counts from 1; `ran` is the execution count."""

    number: int
    code: str  # without magics
    ran: int | None
    magics: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Source:
    """A file of Python. `tree` of a notebook holds all its cells in a row, so its line numbers mean nothing."""

    path: str
    tree: ast.Module
    cells: list[Cell] = field(default_factory=list)
    python: str = ""  # the version that a notebook says it ran with

    @property
    def is_notebook(self) -> bool:
        return self.path.endswith(".ipynb")


class Unreadable(Exception):
    """The reason why a file cannot be read as Python."""


def read(root: Path, path: str) -> Source:
    try:
        content = (root / path).read_bytes()
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from error
    return _notebook(path, content) if path.endswith(".ipynb") else Source(path, parse(content))


def parse(content: bytes) -> ast.Module:
    """Parse by the file's coding line, else as UTF-8, else as Latin-1. Raises Unreadable."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes in their strings
        try:
            return ast.parse(content)
        except (SyntaxError, ValueError) as error:
            if _is_utf8(content):
                where = f" in line {error.lineno}" if isinstance(error, SyntaxError) else ""
                raise Unreadable(
                    f"not Python {sys.version_info.major}.{sys.version_info.minor}{where}: {error}"
                ) from error
        try:
            return ast.parse(content.decode("latin-1"))
        except (SyntaxError, ValueError) as error:
            raise Unreadable(str(error)) from error


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _notebook(path: str, content: bytes) -> Source:
    try:
        notebook: dict[str, Any] = json.loads(content)
        code_cells = [cell for cell in notebook["cells"] if cell.get("cell_type") == "code"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable("no notebook of format 4") from error
    about = notebook.get("metadata") or {}
    language = (about.get("language_info") or {}).get("name") or "python"
    if "python" not in language.lower():
        raise Unreadable(f"a notebook in {language}")
    cells = [_cell(number, cell) for number, cell in enumerate(code_cells, 1)]
    body: list[ast.stmt] = []
    for cell in cells:
        try:
            body += parse(cell.code.encode()).body
        except Unreadable:
            continue  # Python will say so itself when it runs
    python = str((about.get("language_info") or {}).get("version") or "")
    return Source(path, ast.Module(body=body, type_ignores=[]), cells, python)


def _cell(number: int, cell: dict[str, Any]) -> Cell:
    text = cell.get("source") or ""
    lines = ("".join(text) if isinstance(text, list) else str(text)).splitlines()
    if lines and lines[0].startswith("%%") and not lines[0].startswith(TIMED):
        return Cell(number, "", cell.get("execution_count"), [lines[0]])
    magics = [line.strip() for line in lines if MAGIC.match(line)]
    code = "\n".join("" if MAGIC.match(line) else line for line in lines)
    return Cell(number, code, cell.get("execution_count"), magics)
