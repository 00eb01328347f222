"""The result of a check as `alert` reads it: findings, kinds that could be judged, text for the issues."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pydantic import ConfigDict

from mlops_kit.alerts.kinds import KINDS, Finding, Kind
from mlops_kit.base import clock
from mlops_kit.base.errors import KitError
from mlops_kit.runs.event_schema import RUN_ID, is_time
from mlops_kit.runs.handover import Handover

FILE = Path(".mlops/monitoring/outcome.json")
NOW = re.compile(rf"{clock.VARIABLE}=[0-9T:.Z+-]+")
CHECK, OPTIONS = ["mlops-kit", "monitor", "check"], ("--window", "--labels", "--against")


@dataclass(frozen=True)
class Outcome:
    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)  # for `read`: it may come from another job

    at: str
    version: str  # which the window was compared with
    window: str
    findings: list[Finding]
    judged: list[Kind]  # the alarms of all other kinds stay as they are
    run: str = ""  # whose events report the check
    shown: dict[Kind, str] = field(default_factory=dict)  # tables and plots, in Markdown
    again: str = ""  # command that repeats this check

    def __post_init__(self) -> None:
        if unknown := set(self.judged) - set(KINDS):
            raise ValueError(f"no kind of alarm: {', '.join(sorted(unknown))}")
        if not is_time(self.at):
            raise ValueError(f"{self.at!r} is not a time")
        if self.run and not RUN_ID.fullmatch(self.run):
            raise ValueError(f"{self.run!r} is not a run")

    @property
    def command(self) -> str:
        """Return `again` with every value quoted for a shell; empty if it is not a `monitor check`."""
        try:
            words = shlex.split(self.again)
        except ValueError:
            return ""
        now = words[:1] if words and NOW.fullmatch(words[0]) else []
        check = words[len(now) :]
        names, values = check[3::2], check[4::2]
        is_check = check[:3] == CHECK and len(names) == len(values) and all(one in OPTIONS for one in names)
        return " ".join([*now, shlex.join(check)]) if is_check and all(map(str.isprintable, values)) else ""

    @property
    def kinds(self) -> list[Kind]:
        return list(dict.fromkeys(one.kind for one in self.findings))

    def of(self, kind: Kind) -> list[str]:
        return [one.what for one in self.findings if one.kind == kind]

    def columns(self, kind: Kind) -> list[str]:
        return [one.column for one in self.findings if one.kind == kind and one.column]

    def over(self) -> Iterator[Kind]:
        """Yield the kinds that were judged and have no finding."""
        return (kind for kind in self.judged if kind not in self.kinds)

    def write(self, root: Path) -> Path:
        path = root / FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        part.replace(path)
        return path


def read(path: Path) -> Outcome:
    """Read the result of a check. Raises KitError if there is no such file, or if it is not the result of a check."""
    if not path.is_file():
        raise KitError(f"{path} does not exist: there was no check yet.", "Run `mlops-kit monitor check`.")
    handed = Handover(path.parent, (path.name,), "check", "Check again.")
    return handed.payload(path.name, Outcome, "what `mlops-kit monitor check` leaves")
