"""What a check found that somebody should know of: one kind is one alarm, however many findings it has."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "data-drift",  # inputs moved
    "schema",  # not the same columns any more
    "concept-drift",  # predictions are less right than they were
    "predictions-moved",  # and no label says whether they are right
    "no-labels",  # for longer than they take to come
    "errors",
    "latency",
    "memory",
    "disk",
    "silence",  # no traffic, or far less than there was
    "clock",  # times that cannot be
    "training-failed",
    "training-missing",  # of a merge
    "gate-closed",  # on main
    "model-old",
    "training-data",  # of one version moved against that of the version before
    "monitor-dead",
]

STAGE = "monitor"  # of the event that tells of a check


@dataclass(frozen=True)
class Finding:
    kind: Kind
    what: str
    column: str = ""  # that it is about, of the inputs
