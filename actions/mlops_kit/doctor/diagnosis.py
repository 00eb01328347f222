"""What a check is given and what it answers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from mlops_kit.base import clock
from mlops_kit.base.errors import KitError
from mlops_kit.base.processes import ProcessError, TimedOut, run_within, words
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository

if TYPE_CHECKING:
    from mlops_kit.forge.github import GitHub

Status = Literal["ok", "warn", "fail", "unknown"]
SECONDS = 60  # of one command of the project; a remote that hangs must not hang the doctor


@dataclass(frozen=True)
class Diagnosis:
    """`says` is a sentence; `mend` the one command, or the one thing to do."""

    name: str
    status: Status
    says: str
    mend: str = ""


@dataclass(frozen=True)
class Patient:
    repository: Repository
    contract: Contract | None
    problem: KitError | None  # why there is no contract
    hub: "GitHub | None"
    no_hub: str  # what to do to have one
    now: datetime = field(default_factory=clock.now)


Check = Callable[[Patient], Diagnosis]


class Unknown(Exception):
    """The check cannot be made here: why, and what would make it possible."""

    def __init__(self, says: str, mend: str = "") -> None:
        super().__init__(says)
        self.says, self.mend = says, mend


def contract_of(patient: Patient) -> Contract:
    if patient.contract is None:
        raise Unknown("It needs a valid mlops.yaml.")
    return patient.contract


def hub_of(patient: Patient) -> "GitHub":
    if patient.hub is None:
        raise Unknown("GitHub was not asked.", patient.no_hub)
    return patient.hub


def ask(patient: Patient, command: str, *more: str) -> str:
    """Output of a project's command. Raises KitError when it fails or takes too long."""
    line = [*words(command), *more]
    try:
        return run_within(line, patient.repository.root, seconds=SECONDS)
    except TimedOut as error:
        raise KitError(f"`{' '.join(line)}` gave no answer within {SECONDS} s.") from error
    except ProcessError as error:
        last = (error.stderr or error.stdout).splitlines()[-3:]
        raise KitError(f"`{' '.join(line)}` failed ({error.code}): {' '.join(last)}") from error
