"""The kinds of alarm, one row each, and a finding: one reason for an alarm of a kind.

A new kind needs its row here and the check that returns the finding; the rest of the kit reads the row.
"""

from dataclasses import dataclass

Kind = str  # a key of KINDS

STAGE = "monitor"  # of the event that reports a check
ANY_CHECK = "any check"  # judges a kind that every check ends, whatever it looked at
REGISTRATION = "registration"  # no check judges the kind: the job that registers raises it
_DRIFT = "the-inputs-have-drifted"
_ACCURACY = "the-model-is-less-right-than-it-was"
_SERVICE = "predictions-fail-or-are-slow"
_TRAINING = "train-is-red"
_RULES = "a-change-reached-main-without-review-or-a-tag-moved"


@dataclass(frozen=True)
class AlarmKind:
    """What the kit has to know about a kind of alarm. `judged_by` is a key of `monitoring.check.CHECKS`."""

    title: str  # of the issue
    runbook: str  # anchor of the heading in the runbook that says what to do
    judged_by: str
    is_drift: bool = False  # `retrain` counts the windows that raise it
    is_calibrated: bool = False  # the reference was resampled to limit false alarms to one check in 100
    has_table: bool = False  # the issue shows a table of columns in place of the list of findings
    stays_open: bool = False  # a person closes the issue: a later check does not look at the same data again


KINDS: dict[Kind, AlarmKind] = {
    "data-drift": AlarmKind(
        "Data drift", _DRIFT, "data_drift", is_drift=True, is_calibrated=True, has_table=True
    ),
    "schema": AlarmKind("Schema change", _DRIFT, "data_drift", is_calibrated=True),
    "concept-drift": AlarmKind(
        "Concept drift: the model is less accurate", _ACCURACY, "concept_drift", is_drift=True
    ),
    "predictions-moved": AlarmKind("Prediction drift", _ACCURACY, "concept_drift", is_drift=True),
    "no-labels": AlarmKind("No labels arrive any more", _ACCURACY, "concept_drift"),
    "errors": AlarmKind("Predictions fail", _SERVICE, "infrastructure"),
    "latency": AlarmKind("Predictions are slow", _SERVICE, "infrastructure"),
    "memory": AlarmKind("Memory use grows", _SERVICE, "infrastructure"),
    "disk": AlarmKind("The disk is almost full", _SERVICE, "infrastructure"),
    "silence": AlarmKind("Predictions have stopped", _SERVICE, "infrastructure"),
    "clock": AlarmKind("Predictions have impossible times", _SERVICE, "infrastructure"),
    "training-failed": AlarmKind("The training on main failed", _TRAINING, "trainings"),
    "training-missing": AlarmKind("A merge was not trained", _TRAINING, "trainings"),
    "gate-closed": AlarmKind("A gate failed on main", _TRAINING, "trainings"),
    "model-old": AlarmKind("The model is old", "the-model-is-old", "trainings"),
    "training-data": AlarmKind("Data drift in the training data", _DRIFT, "training_data", stays_open=True),
    "promotion-not-approved": AlarmKind(
        "A promotion was not approved", _RULES, REGISTRATION, stays_open=True
    ),
    "monitor-dead": AlarmKind("The monitor has stopped", "schedule-has-not-run-since-yesterday", ANY_CHECK),
}


# What happened to a column, for the title of the issue. `{}` is the column's name.
EVENTS = {
    "new category": "New category in {}",
    "missing column": "Missing column {}",
    "new column": "New column {}",
    "all null": "No values in {}",
    "constant": "Constant value in {}",
    "retyped": "Changed type of {}",
}


@dataclass(frozen=True)
class Finding:
    """One line of an alarm. Raises ValueError for a kind that has no row, or an event that is not in EVENTS."""

    kind: Kind
    what: str
    column: str = ""  # the input that it is about
    event: str = ""  # a key of EVENTS: what happened to the column

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no kind of alarm: {self.kind}")
        if self.event and self.event not in EVENTS:
            raise ValueError(f"no event of a column: {self.event}")


def judged_by(check: str) -> list[Kind]:
    """The kinds that this check judges, in the order of the table."""
    return [kind for kind, row in KINDS.items() if row.judged_by == check]
