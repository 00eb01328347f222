"""What would have to change in files that are there: shown, and made only when asked for."""

import difflib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Patch:
    """`before` and `after` are the whole file's bytes; `because` says what is missing without it."""

    path: str
    before: bytes
    after: bytes
    because: str

    @property
    def diff(self) -> str:
        """As `git apply` takes it."""
        old, new = (_lines(text) for text in (self.before, self.after))
        lines = difflib.unified_diff(old, new, f"a/{self.path}", f"b/{self.path}")
        return "".join(
            line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
        )

    def apply(self, root: Path) -> None:
        (root / self.path).write_bytes(self.after)


def with_lines(path: str, before: bytes, lines: list[str], because: str) -> Patch:
    """The file with these lines at its end, in its own line ends."""
    end = b"\r\n" if b"\r\n" in before else b"\n"
    gap = b"" if not before or before.endswith(b"\n") else end
    added = end.join(line.encode() for line in lines) + end
    return Patch(path, before, before + gap + added, because)


def _lines(text: bytes) -> list[str]:
    """What is not UTF-8 comes back as it was when it is written with surrogateescape."""
    return [line.decode("utf-8", "surrogateescape") for line in text.splitlines(keepends=True)]


def keep(patches: list[Patch], file: Path) -> None:
    """For `git apply`."""
    file.write_bytes("".join(patch.diff for patch in patches).encode("utf-8", "surrogateescape"))


def put(path: Path, content: bytes) -> None:
    """Writes the file, and the folders to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
