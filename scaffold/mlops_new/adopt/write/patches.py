"""Changes of existing files: shown, and applied only with --apply."""

import difflib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Patch:
    """`before` and `after`: the bytes of the whole file; `because`: what goes wrong without the change."""

    path: str
    before: bytes
    after: bytes
    because: str

    @property
    def diff(self) -> str:
        """The patch for `git apply`."""
        old, new = (_lines(text) for text in (self.before, self.after))
        lines = difflib.unified_diff(old, new, f"a/{self.path}", f"b/{self.path}")
        return "".join(
            line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
        )

    def apply(self, root: Path) -> None:
        (root / self.path).write_bytes(self.after)


def with_lines(path: str, before: bytes, lines: list[str], because: str) -> Patch:
    """Append lines to a file, with its own line ends."""
    end = b"\r\n" if b"\r\n" in before else b"\n"
    gap = b"" if not before or before.endswith(b"\n") else end
    added = end.join(line.encode() for line in lines) + end
    return Patch(path, before, before + gap + added, because)


def _lines(text: bytes) -> list[str]:
    """The lines of a file; bytes that are not UTF-8 survive if written with surrogateescape."""
    return [line.decode("utf-8", "surrogateescape") for line in text.splitlines(keepends=True)]


def write_patch_file(patches: list[Patch], file: Path) -> None:
    """Write the patches to a file for `git apply`."""
    file.write_bytes("".join(patch.diff for patch in patches).encode("utf-8", "surrogateescape"))


def write_file(path: Path, content: bytes) -> None:
    """Write the file, and make its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
