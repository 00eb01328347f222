"""Many files of many commits, read by one Git process."""

import subprocess
from collections.abc import Iterator, Sequence

from mlops_kit.base.processes import environment
from mlops_kit.project.repository import Repository


def read(repository: Repository, names: Sequence[str]) -> Iterator[bytes | None]:
    """The content of each `REVISION:path`, in their order; None where it is not there."""
    done = subprocess.run(
        ["git", "cat-file", "--batch", "--buffer"],
        cwd=repository.root,
        env=environment(),
        input="".join(f"{name}\n" for name in names).encode(),
        capture_output=True,
        check=True,
    )
    text, at = done.stdout, 0
    for _ in names:
        end = text.index(b"\n", at)
        head = text[at:end].rsplit(b" ", 2)
        if head[-1] == b"missing":
            at = end + 1
            yield None
        else:
            size = int(head[2])
            yield text[end + 1 : end + 1 + size]
            at = end + size + 2


def exist(repository: Repository, names: Sequence[str]) -> list[bool]:
    """For each `REVISION:path`, in their order: is there such a file?"""
    asked = "".join(f"{name}\n" for name in names)
    listed = repository.git("cat-file", "--batch-check=%(objecttype)", "--buffer", stdin=asked)
    return [line == "blob" for line in listed.splitlines()]


def lines(repository: Repository, tip: str) -> list[str]:
    """Read every line of every events file by two Git processes, however many files there are."""
    blobs = repository.git("ls-tree", "-r", "--format=%(objectname)", tip, "--", "events/")
    command = ["git", "cat-file", "--batch", "--buffer"]
    done = subprocess.run(
        command,
        cwd=repository.root,
        env=environment(),
        input=blobs.encode(),
        capture_output=True,
        check=True,
    )
    text = done.stdout.decode(errors="replace")
    return [line for line in text.split("\n") if line.startswith("{")]
