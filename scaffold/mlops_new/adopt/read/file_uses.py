"""The files that code names, and whether it reads or writes them: from the code, without running it.

Constants are followed through simple assignments, `Path` and `os.path`. Paths that are computed in another way are
observed when the code runs.
"""

import ast
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from mlops_new.adopt.read.source import Source

# The place of the path among the arguments of functions that read and write; of a method of the object.
READS = {
    **dict.fromkeys(
        [
            "read_csv",
            "read_parquet",
            "read_excel",
            "read_json",
            "read_feather",
            "read_pickle",
            "read_table",
            "read_hdf",
            "read_orc",
            "read_fwf",
            "read_stata",
            "read_sas",
            "read_spss",
            "read_xml",
            "read_ndjson",
            "read_ipc",
            "scan_csv",
            "scan_parquet",
            "scan_ndjson",
            "scan_ipc",
            "load",
            "load_model",
            "loadtxt",
            "genfromtxt",
            "fromfile",
            "imread",
            "loadmat",
            "load_npz",
        ],
        0,
    ),
}
WRITES = {
    **dict.fromkeys(
        [
            "to_csv",
            "to_parquet",
            "to_excel",
            "to_json",
            "to_feather",
            "to_pickle",
            "to_hdf",
            "to_html",
            "to_markdown",
            "write_csv",
            "write_parquet",
            "write_json",
            "write_ndjson",
            "write_ipc",
            "savefig",
            "save",
            "savez",
            "savez_compressed",
            "savetxt",
            "save_model",
            "save_pretrained",
            "save_weights",
            "write_image",
            "write_html",
            "imwrite",
            "to_onnx",
        ],
        0,
    ),
    "dump": 1,  # joblib
    "torch.save": 1,
    "pickle.dump": 1,
}
ON_PATHS: dict[str, Literal["read", "write"]] = {
    "read_text": "read",
    "read_bytes": "read",
    "write_text": "write",
    "write_bytes": "write",
}
PATHS = ("Path", "PurePath", "PosixPath")


@dataclass(frozen=True)
class FileUse:
    path: str
    how: Literal["read", "write"]
    by: str  # the function
    line: int

    @property
    def is_address(self) -> bool:
        return bool(re.match(r"[a-z][a-z0-9+]+://", self.path))


def dotted(node: ast.expr) -> str:
    """The dotted name of an expression, such as `np.random.seed`; only its last part if it starts with a call."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else node.attr
    return ""


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Every call with its dotted name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield dotted(node.func), node


def find_uses(source: Source, here: str) -> list[FileUse]:
    """The files that the source names, in the order of the code. `here` is the absolute path of the source."""
    values = Values(source.tree, here)
    uses = [use for name, call in calls(source.tree) if (use := _use(name, call, values))]
    return sorted(dict.fromkeys(uses), key=lambda use: use.line)


def _use(name: str, call: ast.Call, values: "Values") -> FileUse | None:
    last = name.rpartition(".")[2] or (call.func.attr if isinstance(call.func, ast.Attribute) else "")
    if last == "open":
        return _opened(name, call, values)
    if last in ON_PATHS and isinstance(call.func, ast.Attribute):
        path = values.of(call.func.value)
        return FileUse(path, ON_PATHS[last], last, call.lineno) if path else None
    tables: tuple[tuple[dict[str, int], Literal["read", "write"]], ...] = ((WRITES, "write"), (READS, "read"))
    for table, how in tables:
        if (at := table.get(name, table.get(last))) is not None:
            named = [word.value for word in call.keywords if word.arg in ("path", "fname", "filename", "f")]
            args = call.args[at : at + 1] or named[:1]
            path = values.of(args[0]) if args else None
            return FileUse(path, how, last, call.lineno) if path else None
    return None


def _opened(name: str, call: ast.Call, values: "Values") -> FileUse | None:
    """A use by the built-in `open`, or by the method of a path."""
    on_path = isinstance(call.func, ast.Attribute) and name not in ("io.open", "gzip.open", "codecs.open")
    args = call.args
    node = call.func.value if on_path and isinstance(call.func, ast.Attribute) else args[0] if args else None
    path = values.of(node) if node else None
    modes = [word.value for word in call.keywords if word.arg == "mode"] + args[0 if on_path else 1 :][:1]
    mode = values.of(modes[0]) if modes else "r"
    if not path:
        return None
    return FileUse(path, "write" if set(mode or "r") & set("wax+") else "read", "open", call.lineno)


class Values:
    """The strings and paths of expressions, as far as the code says them."""

    def __init__(self, tree: ast.Module, here: str) -> None:
        self.names: dict[str, str] = {"__file__": here}
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and len(node.targets) == 1:
                self._assign(node.targets[0], node.value)
            elif isinstance(node, ast.AnnAssign) and node.value:
                self._assign(node.target, node.value)

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name) and (text := self.of(value)) is not None:
            self.names[target.id] = text

    def of(self, node: ast.expr) -> str | None:
        """The string or path of an expression; None if the code alone does not say it."""
        match node:
            case ast.Constant(value=str(text)):
                return text
            case ast.Name(id=name):
                return self.names.get(name)
            case ast.JoinedStr(values=parts):
                return self._joined([self.of(part) for part in parts], "")
            case ast.FormattedValue(value=value):
                return self.of(value)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._joined([self.of(left), self.of(right)], "")
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return self._path([self.of(left), self.of(right)])
            case ast.Attribute(value=value, attr="parent"):
                above = self.of(value)
                return None if above is None else posixpath.dirname(above)
            case ast.Subscript(
                value=ast.Attribute(value=value, attr="parents"), slice=ast.Constant(value=int(n))
            ):
                above = self.of(value)
                for _ in range(n + 1):
                    above = None if above is None else posixpath.dirname(above)
                return above
            case ast.Call(func=func, args=args):
                return self._call(func, args)
        return None

    def _call(self, func: ast.expr, args: list[ast.expr]) -> str | None:
        name = dotted(func)
        last = name.rpartition(".")[2]
        if last in PATHS or name in ("os.path.join", "path.join", "osp.join"):
            return self._path([self.of(arg) for arg in args])
        if name in ("str", "os.fspath", "os.path.abspath", "os.path.realpath", "os.path.normpath"):
            return self.of(args[0]) if args else None
        if name == "os.path.dirname":
            above = self.of(args[0]) if args else None
            return None if above is None else posixpath.dirname(above)
        if last in ("resolve", "absolute", "expanduser", "as_posix") and isinstance(func, ast.Attribute):
            return self.of(func.value)
        return None

    @staticmethod
    def _joined(parts: list[str | None], between: str) -> str | None:
        known = [part for part in parts if part is not None]
        return between.join(known) if len(known) == len(parts) else None

    @staticmethod
    def _path(parts: list[str | None]) -> str | None:
        known = [part for part in parts if part is not None]
        return posixpath.normpath(posixpath.join(*known)) if known and len(known) == len(parts) else None
