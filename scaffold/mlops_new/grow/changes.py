"""The changes, conflicts and broken files of an update, read from Git."""

import ast
import json
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from mlops_new.base.processes import run

YOURS, MIDDLE, THEIRS = "<<<<<<< before updating", "=======", ">>>>>>> after updating"


@dataclass(frozen=True)
class Conflict:
    file: str
    line: int  # where it begins, from 1; 0 where the file is no text that has lines
    yours: str
    template: str


@dataclass(frozen=True)
class Broken:
    """A file that no longer parses, with or without a conflict."""

    file: str
    why: str


@dataclass(frozen=True)
class Changes:
    """The files of an update, by their paths in the Git repository."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    broken: tuple[Broken, ...] = ()

    @property
    def any(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    @property
    def clean(self) -> bool:
        return not self.conflicts and not self.broken


def read(tree: Path, unmerged: Iterable[str]) -> Changes:
    """Read the changes since HEAD from the index."""
    listed = run(["git", "diff", "--cached", "--name-status", "--no-renames", "-z", "HEAD"], tree).split("\0")
    pairs = list(zip(listed[0::2], listed[1::2], strict=False))
    present = sorted(name for kind, name in pairs if kind != "D")
    return Changes(
        added=tuple(name for kind, name in pairs if kind == "A"),
        changed=tuple(name for kind, name in pairs if kind not in "AD"),
        removed=tuple(name for kind, name in pairs if kind == "D"),
        conflicts=tuple(conflict for name in sorted(unmerged) for conflict in find_conflicts(tree, name)),
        broken=tuple(error for name in present if (error := find_error(tree, name))),
    )


def find_conflicts(tree: Path, name: str) -> list[Conflict]:
    """The conflicts of a file, at least one: of a file that is not text, without lines."""
    conflicts: list[Conflict] = []
    sides: tuple[list[str], list[str]] = ([], [])
    start = side = 0
    file = tree / name
    text = "" if file.is_symlink() else file.read_text("utf-8", "replace")
    for number, line in enumerate(text.splitlines(), start=1):
        if line == YOURS:
            start, side, sides = number, 0, ([], [])
        elif line == MIDDLE and start:
            side = 1
        elif line == THEIRS and start:
            conflicts.append(Conflict(name, start, "\n".join(sides[0]), "\n".join(sides[1])))
            start = 0
        elif start:
            sides[side].append(line)
    return conflicts or [Conflict(name, 0, "", "")]


def _yaml(text: str) -> None:
    import yaml

    class AnyTag(yaml.SafeLoader):
        """For files of tools that have tags of their own."""

    AnyTag.add_multi_constructor("", lambda loader, suffix, node: None)
    list(yaml.load_all(text, AnyTag))


PARSERS: dict[str, Callable[[str], object]] = {
    ".toml": tomllib.loads,
    ".yaml": _yaml,
    ".yml": _yaml,
    ".json": json.loads,
    ".ipynb": json.loads,
    ".py": ast.parse,
}


def find_error(tree: Path, name: str) -> Broken | None:
    """The parser's message if the file does not parse."""
    parse = PARSERS.get(Path(name).suffix)
    file = tree / name
    if not parse or file.is_symlink():
        return None
    try:
        parse(file.read_text(encoding="utf-8"))
    except Exception as error:  # noqa: BLE001  # each parser has errors of its own
        return Broken(name, " ".join(str(error).split()))
    return None


@dataclass(frozen=True)
class UnmergedFiles:
    """The index entries of files in conflict, `MODE SHA STAGE`, by path."""

    entries: dict[str, tuple[str, ...]]

    @classmethod
    def read(cls, tree: Path) -> "UnmergedFiles":
        entries: dict[str, tuple[str, ...]] = {}
        for line in run(["git", "ls-files", "--unmerged", "-z"], tree).split("\0"):
            entry, _, name = line.partition("\t")
            if name:
                entries[name] = (*entries.get(name, ()), entry)
        return cls(entries)

    def mark(self, source: Path, tree: Path) -> None:
        """Enter the conflicts into the index of this tree, so that Git refuses to commit it until they are resolved."""
        if not self.entries:
            return
        objects = [entry.split()[1] for entries in self.entries.values() for entry in entries]
        packs = run(
            ["git", "rev-parse", "--path-format=absolute", "--git-path", "objects/pack"], tree
        ).strip()
        Path(packs).mkdir(exist_ok=True)
        run(["git", "pack-objects", "--quiet", f"{packs}/pack"], source, stdin="\n".join(objects) + "\n")
        lines = [
            line
            for name, entries in self.entries.items()
            for line in (f"0 {'0' * 40}\t{name}", *(f"{entry}\t{name}" for entry in entries))
        ]
        run(["git", "update-index", "--index-info"], tree, stdin="\n".join(lines) + "\n")
