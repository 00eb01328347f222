"""What adopting did."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from mlops_new.adopt.read.entry_point import Entry
from mlops_new.adopt.read.obstacles import Obstacle
from mlops_new.adopt.write.patches import Patch
from mlops_new.adopt.write.stages import Stage


@dataclass
class Adopted:
    """Paths are relative to `root`. `same` says whether a second run made the same; None: it did not run."""

    root: Path
    name: str
    entry: Entry
    others: list[Entry]
    packages: str
    stage: Stage | None = None
    figures: dict[str, float] = field(default_factory=dict)
    adds: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)  # under DVC now
    patches: list[Patch] = field(default_factory=list)
    applied: bool = False
    patch_file: str = ""  # of what was not applied
    obstacles: list[Obstacle] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    dvc: str = "dvc"
    ran: bool = False
    same: bool | None = None


def shown(path: Path) -> str:
    """The path as the person would type it from where they stand."""
    relative = os.path.relpath(path)
    return relative if len(relative) < len(str(path)) else str(path)
