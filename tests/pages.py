"""The pages of docs/how-to and the tutorial, as a person follows them: commands, changes of files and new files.

- A block of ```sh holds commands. `# exits with 10` behind one is its exit code, if it is not 0.
- A block of ```diff with a title changes the file of that name: lines with `-` become lines with `+`, once in the file.
- A block with a title in another language is a new file, whole.
- Other blocks are not followed: ```console holds commands that need what a test does not have.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(
    r'^(?P<indent> *)```(?P<language>\w+)(?: title="(?P<path>[^"]+)")?\n(?P<text>.*?)^ *```$',
    re.MULTILINE | re.DOTALL,
)
CODE = re.compile(r"(?P<words>.*?)(?:  # exits with (?P<code>\d+))?")


@dataclass(frozen=True)
class Command:
    words: str
    code: int = 0


@dataclass(frozen=True)
class Change:
    """Of a file that is there."""

    path: str
    old: str
    new: str


@dataclass(frozen=True)
class NewFile:
    path: str
    text: str


Step = Command | Change | NewFile


def steps(page: Path) -> list[Step]:
    """All steps of a page, in its order."""
    return [step for block in BLOCK.finditer(page.read_text("utf-8")) for step in _steps_of(block)]


def _steps_of(block: re.Match[str]) -> Iterator[Step]:
    indent, path = len(block["indent"]), block["path"]
    lines = [line[indent:] if line.strip() else "\n" for line in block["text"].splitlines(keepends=True)]
    if path and block["language"] == "diff":
        old = "".join(line[1:] for line in lines if line[0] in " -")
        yield Change(path, old, "".join(line[1:] for line in lines if line[0] in " +"))
    elif path:
        yield NewFile(path, "".join(lines))
    elif block["language"] == "sh":
        for line in lines:
            command = CODE.fullmatch(line.rstrip("\n"))
            assert command
            yield Command(command["words"], int(command["code"] or 0))


def script(page: Path) -> str:
    """A shell script of the page. It stops at the first step that does not do what the page says."""
    return "\n".join(["set -eu", *_lines(page)]) + "\n"


def _lines(page: Path) -> Iterator[str]:
    for number, step in enumerate(steps(page)):
        if not isinstance(step, Command):
            yield f"'{sys.executable}' '{__file__}' '{page}' {number}"
        elif step.code:
            yield f'code=0; {step.words} || code=$?; echo "exit code $code"; test $code = {step.code}'
        else:
            yield step.words


def apply(step: Step) -> None:
    """Make the change in the current folder."""
    assert not isinstance(step, Command)
    path = Path(step.path)
    if isinstance(step, NewFile):
        assert not path.exists(), f"{path} is there already"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(step.text, "utf-8")
        return
    text = path.read_text("utf-8")
    assert text.count(step.old) == 1, f"{path} holds {text.count(step.old)} times:\n{step.old}"
    path.write_text(text.replace(step.old, step.new), "utf-8")


if __name__ == "__main__":
    apply(steps(Path(sys.argv[1]))[int(sys.argv[2])])
