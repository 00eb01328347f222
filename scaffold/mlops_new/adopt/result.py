"""The result of an adoption."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from mlops_new.adopt.read.entry_point import EntryPoint
from mlops_new.adopt.read.obstacles import Obstacle
from mlops_new.adopt.write.patches import Patch
from mlops_new.adopt.write.stages import Stage


@dataclass
class Adoption:
    """What was found and added. Paths are relative to `root`.

    `same`: whether a second run made the same files; None if it did not run.
    """

    root: Path
    name: str
    entry: EntryPoint
    others: list[EntryPoint]
    packages: str
    stage: Stage | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    adds: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)  # under DVC now
    patches: list[Patch] = field(default_factory=list)
    applied: bool = False
    patch_file: str = ""  # of the patches that were not applied
    obstacles: list[Obstacle] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    dvc: str = "dvc"
    ran: bool = False
    same: bool | None = None


def short_path(path: Path) -> str:
    """The path from the current folder, if that is shorter."""
    relative = os.path.relpath(path)
    return relative if len(relative) < len(str(path)) else str(path)
