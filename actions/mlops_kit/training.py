"""One training: from the newest lock, by the project's own DVC, with the workspace as before if it fails."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from mlops_kit.repository import Repository

STATE = Path(".mlops/training.json")


@dataclass(frozen=True)
class Training:
    """What the last `train` did; kept in `.mlops/` for gate, report and register."""

    run: str
    commit: str
    on: str  # data, or sample
    why_sample: str  # "no remote", "fork", "pull request", "asked"; empty when trained on the data
    stages: dict[str, str] = field(default_factory=dict)  # name -> ran, cached or unchanged
    seconds: float = 0.0

    @property
    def registers(self) -> bool:
        return self.on == "data"

    @property
    def heading(self) -> str:
        if self.on == "data":
            return "trained on the data"
        return f"{self.why_sample}: trained on the committed sample, nothing registered"


def load(repository: Repository) -> Training | None:
    """Of the last training here; None where there was none."""
    text = repository.text(str(STATE))
    return Training(**json.loads(text)) if text else None
