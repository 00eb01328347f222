"""What a check leaves for whoever tells of it: the findings, what was judged at all, and what to show."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pydantic import ConfigDict

from mlops_kit.alerts.kinds import Finding, Kind
from mlops_kit.base.errors import KitError
from mlops_kit.runs.handover import Handover

FILE = Path(".mlops/monitoring/outcome.json")


@dataclass(frozen=True)
class Outcome:
    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)  # for `read`: it may come from another job

    at: str
    version: str  # that the window was compared with
    window: str
    findings: list[Finding]
    judged: list[Kind]  # of the others the check could not tell, so an alarm of them stays as it is
    run: str = ""  # whose events tell of it
    shown: dict[Kind, str] = field(default_factory=dict)  # Markdown: tables and plots
    again: str = ""  # the command that makes this check again

    @property
    def kinds(self) -> list[Kind]:
        return list(dict.fromkeys(one.kind for one in self.findings))

    def of(self, kind: Kind) -> list[str]:
        return [one.what for one in self.findings if one.kind == kind]

    def columns(self, kind: Kind) -> list[str]:
        return [one.column for one in self.findings if one.kind == kind and one.column]

    def over(self) -> Iterator[Kind]:
        """Kinds that were judged, and of which there is nothing."""
        return (kind for kind in self.judged if kind not in self.kinds)

    def write(self, root: Path) -> Path:
        path = root / FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        part.replace(path)
        return path


def read(path: Path) -> Outcome:
    """Raises KitError where no check was made, or this is something else."""
    if not path.is_file():
        raise KitError(f"{path} is not there: nothing was checked.", "First: `mlops-kit monitor check`.")
    handed = Handover(path.parent, (path.name,), "check", "Check again.")
    return handed.payload(path.name, Outcome, "what `mlops-kit monitor check` leaves")
