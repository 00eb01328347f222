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
        old, new = (
            text.decode("utf-8", "replace").splitlines(keepends=True) for text in (self.before, self.after)
        )
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
