"""Files that land, and a look for them."""

import os
import time
from pathlib import Path
from typing import Any

from mlops_kit.new_data import watch as watch_data
from mlops_kit.new_data.result import LookResult
from mlops_kit.project import contract as contracts

from tests.kit.small_repository import Small

ROWS = "id,late\n1,0\n2,1\n"
MORE = "id,late\n1,0\n2,1\n3,0\n"
# Refuses a file without the two columns; no word of it is the kit's.
CHECK = """\
import sys
if len(sys.argv) > 1:
    head = open(sys.argv[1]).readline().strip()
    if head != "id,late":
        sys.exit(f"columns are {head}, not id,late")
"""


def land(path: Path, text: str, age: float = 3600) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    os.utime(path, (time.time() - age,) * 2)


def watch(one: Small, agree: bool = True) -> LookResult:
    return watch_data.look_and_deliver(
        one.repository, contracts.load(one.root), lambda _: None, lambda _: agree
    )


def state(one: Small) -> dict[str, Any]:
    """Everything that must be as before after a refused look."""
    files = ("data/raw.csv", "data/raw.csv.dvc", "data/.gitignore", "data/batches.dvc")
    content = {name: (one.root / name).read_bytes() for name in files if (one.root / name).is_file()}
    return content | {"git": one.git("status", "--porcelain"), "main": one.git("ls-remote", "origin", "main")}
