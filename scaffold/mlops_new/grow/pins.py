"""Commits of other people's actions, which a bot renews in the project and the template renews in its next version."""

import re
from pathlib import Path

from mlops_new.template.releases import numbers

WORKFLOWS = ".github/workflows"
PIN = re.compile(
    r"(?m)^(\s*(?:- )?uses: *)([\w.-]+/[\w./-]+)@([0-9a-f]{40})((?: +# *v\d+(?:\.\d+)*)?)(?=[ \r]*$)"
)


def settle(yours: Path, before: Path, after: Path) -> None:
    """Keep the newer pin where the project and the template both renewed one: then Git finds no conflict there.

    `before` and `after` are the template's file, as it was and as it will be. Both are rewritten.
    """
    texts = [file.read_bytes().decode(errors="surrogateescape") for file in (yours, before, after)]
    mine, old, new = map(_pins, texts)
    for action in mine.keys() & old.keys() & new.keys():
        if len({mine[action], old[action], new[action]}) == 3:
            texts[1] = _with_pin(texts[1], action, mine[action])
            if _version(mine[action]) >= _version(new[action]):
                texts[2] = _with_pin(texts[2], action, mine[action])
    for file, text in zip((before, after), texts[1:], strict=True):
        file.write_bytes(text.encode(errors="surrogateescape"))


def _pins(text: str) -> dict[str, str]:
    """Commit and comment of each action that has the same ones everywhere in the text."""
    found: dict[str, set[str]] = {}
    for match in PIN.finditer(text):
        found.setdefault(match[2], set()).add(match[3] + match[4])
    return {action: pins.pop() for action, pins in found.items() if len(pins) == 1}


def _with_pin(text: str, action: str, pin: str) -> str:
    return PIN.sub(lambda match: f"{match[1]}{action}@{pin}" if match[2] == action else match[0], text)


def _version(pin: str) -> tuple[int, ...]:
    """The version in the comment; without one, newer than all, because somebody chose this commit."""
    version = pin.partition("# ")[2].strip()
    return numbers(version) if version else (10**9,)
