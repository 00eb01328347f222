"""What `mlops-new adopt` is asked for."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class AdoptRequest:
    """The options of `mlops-new adopt`; empty where they are to be found out."""

    path: Path
    entry: str = ""
    name: str = ""
    python: str = ""
    kit: str = "remote"
    apply: bool = False
    run: bool = True
    dry_run: bool = False
