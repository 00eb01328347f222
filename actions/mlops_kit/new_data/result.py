"""The result of a look for new data."""

from dataclasses import dataclass, field
from typing import Literal

from mlops_kit.base.errors import KitError
from mlops_kit.new_data.deliver import Delivered

STAGE = "watch-data"
Status = Literal["found", "nothing", "waits", "refused"]


class NotYet(KitError):
    """A file that may still be written; the next look decides."""


@dataclass(frozen=True)
class WatchResult:
    """The result for one `new_data.watch`."""

    pointer: str
    source: str
    status: Status
    says: str
    data: str = ""  # path of the data in the repository
    md5_before: str = ""
    md5_after: str = ""
    rows_before: int | None = None  # None where the data is not here to be counted
    rows_after: int | None = None
    on_branch: bool = False  # of an earlier look: it waits on mlops/data

    @property
    def line(self) -> str:
        return f"{self.pointer}: {self.says}"


@dataclass(frozen=True)
class LookResult:
    """The result for all watches, and what was delivered."""

    found: bool
    outcomes: list[WatchResult]
    pointers: dict[str, str] = field(default_factory=dict)  # path -> text, of what was found
    delivered: Delivered | None = None
    alarms: list[str] = field(default_factory=list)  # where each stands, or why it does not
    waits: dict[str, str] = field(default_factory=dict)  # path -> text, of what is on mlops/data already

    @property
    def refused(self) -> list[WatchResult]:
        return [one for one in self.outcomes if one.status == "refused"]
