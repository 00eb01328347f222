"""May this model be registered? Each gate of mlops.yaml says pass, fail or unknown, and why."""

from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["pass", "fail", "unknown"]


@dataclass(frozen=True)
class GateResult:
    """`unknown` (can't tell) never passes. `says` is a sentence for a person with value and bound."""

    name: str
    kind: str
    status: Status
    says: str
    value: float | None = None
    bound: float | None = None
    loosened: str = ""  # what this change loosened of the gate, in words
    because: str = ""
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    results: list[GateResult]
    measured: dict[str, Any] = field(default_factory=dict)  # latency and size, with machine and n
    better: str = ""  # better, worse, the same, can't tell or first; against the champion
    against: str = ""  # the champion's version

    @property
    def is_open(self) -> bool:
        return all(result.status == "pass" for result in self.results)
