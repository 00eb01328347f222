"""The sections of `mlops.yaml`, a class each."""

from dataclasses import dataclass
from datetime import date
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from mlops_kit.base.strict import Strict

Scalar = bool | int | float | str
Task = Literal["binary", "multiclass", "regression"]


def _as_mapping(value: Any) -> Any:
    return {"file": value} if isinstance(value, str) else value


class Commands(Strict):
    """Run at the root of the repository, in the project's own environment and without a shell."""

    dvc: str = "dvc"
    validate_: Annotated[str | None, Field(alias="validate")] = None
    """Is the data what it should be? Takes an optional FILE; any exit code but 0 refuses the data."""
    predict: str | None = None
    """Takes ROWS --out FILE and writes keys and predictions."""
    latency: str | None = None
    """Times predictions of one row in one process, after a warm-up. Takes ROWS --calls N --out FILE and writes JSON,
    {"seconds": [...]}, a number for each of the N calls. A latency gate needs it."""
    python: str | None = None
    """The project's Python, asked for its version; leave out where the pipeline is not Python."""
    install: str | None = None
    """Makes the environment; run once in the worktree of another version before `predict`."""


class Sample(Strict):
    """A few committed rows to train on where the data cannot be had: forks, and the first day."""

    file: str
    parameter: str
    """The key of params.yaml that names the raw data."""


class Predictions(Strict):
    """The evaluated predictions: what the metrics were made of, one row a key."""

    file: str
    task: Task
    key: str = "key"
    actual: str = "actual"
    prediction: str = "prediction"
    probability: str = "probability"
    """Of the positive class; for multiclass of each class, as `probability.CLASS`."""
    positive: Scalar | None = None
    """Binary: the value of `actual` that `probability` is about."""

    @model_validator(mode="after")
    def _binary_has_a_positive_class(self) -> "Predictions":
        if self.task == "binary" and self.positive is None:
            raise ValueError("a binary task needs `positive`, the class whose probability is predicted")
        return self


class Rows(Strict):
    """Rows as `predict` takes them, so that the version in use can be judged on the same rows."""

    test: str
    train: str | None = None
    """What the model was trained on; rows found here are left out when it is judged."""
    key: str = "key"


@dataclass(frozen=True)
class Loosens:
    """The direction in which a field of a gate lets more models pass; `either` if it depends on the data."""

    direction: Literal["down", "up", "either"]


class Gate(Strict):
    """Base of the gate kinds. A kind is a subclass here and a function in gates/kinds.py.

    Every field but `kind` and `because` says with `Loosens` which change of it is flagged for the reviewer.
    """

    # What the kind reads, as paths in the contract: a change of it is flagged.
    judged_by: ClassVar[tuple[str, ...]] = ()

    # Each kind declares both, `kind` first and `because` last, as the reference page lists them.
    if TYPE_CHECKING:
        kind: str
        because: str

    @property
    def needs_only_metrics(self) -> bool:
        """True if any job that has the metrics file can judge again, without data, model or environment."""
        return self.judged_by == ("metrics",)


class ThresholdGate(Gate):
    """A metric against a number, or against another metric such as the baseline's."""

    judged_by = ("metrics",)

    kind: Literal["threshold"]
    metric: Annotated[str, Loosens("either")]
    """Its path in the metrics file, for instance model.roc_auc."""
    at_least: Annotated[float | str | None, Loosens("down")] = None
    at_most: Annotated[float | str | None, Loosens("up")] = None
    margin: Annotated[float, Field(ge=0), Loosens("down")] = 0.0
    """How far beyond the bound it must be."""
    interval: Annotated[bool, Loosens("down")] = True
    """Judge by the metric's interval where it has one: its worse end must hold, not only its middle."""
    min_rows: Annotated[int, Field(ge=1), Loosens("down")] = 30
    because: str = ""

    @model_validator(mode="after")
    def _one_bound(self) -> "ThresholdGate":
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("give either `at_least` or `at_most`")
        return self


class SlicesGate(Gate):
    """Fairness: the gap between the best and the worst slice of a column."""

    judged_by = ("metrics",)

    kind: Literal["slices"]
    of: Annotated[str, Loosens("either")]
    """Path of the slices in the metrics file, for instance slices.carrier."""
    metric: Annotated[str, Loosens("either")]
    gap_at_most: Annotated[float, Field(ge=0), Loosens("up")]
    # More leaves slices out; fewer lets two slices of noise be enough to judge.
    min_rows: Annotated[int, Field(ge=1), Loosens("either")] = 100
    because: str = ""


class LatencyGate(Gate):
    """Seconds that a prediction of one row takes, in a process that has loaded the model: `commands.latency` measures them.
    Without `commands.latency` the gate can't tell, and never passes.
    """

    judged_by = ("commands.latency", "serving.replica", "rows.test")

    kind: Literal["latency"]
    p95_seconds_at_most: Annotated[float, Field(gt=0), Loosens("up")]
    """95 of 100 calls must take at most this long. A measurement over it is repeated twice, and the lowest p95 counts."""
    calls: Annotated[int, Field(ge=20, le=10_000), Loosens("down")] = 200
    """Each predicts one row, in turn from the first of the test rows; without test rows, of the sample."""
    of: Annotated[Literal["predict", "server"], Loosens("either")] = "predict"
    """What is timed: `commands.latency`, or requests to a replica of what is here, which needs `serving`."""
    because: str = ""


class SizeGate(Gate):
    """Bytes of the artifacts."""

    judged_by = ("artifacts",)

    kind: Literal["size"]
    mb_at_most: Annotated[float, Field(gt=0), Loosens("up")]
    because: str = ""


class ChampionGate(Gate):
    """Against the version in use, on the same rows: a paired bootstrap."""

    judged_by = (
        *(f"predictions.{name}" for name in Predictions.model_fields),
        *(f"rows.{name}" for name in Rows.model_fields),
    )

    kind: Literal["champion"]
    metric: Annotated[str, Loosens("either")]
    """One of {metrics}."""
    worse_by_at_most: Annotated[float, Field(ge=0), Loosens("up")] = 0.0
    """In the metric's own unit; the interval of the difference must hold it."""
    stage: Annotated[str, Loosens("either")] = "production"
    """Without a version in this stage, the newest registered one is the champion."""
    confidence: Annotated[float, Field(gt=0.5, lt=1), Loosens("down")] = 0.95
    min_rows: Annotated[int, Field(ge=1), Loosens("down")] = 200
    because: str = ""


# The union of all kinds above. A type checker takes it for the base class, because it cannot follow a union that
# is made at run time.
if TYPE_CHECKING:
    AnyGate = Gate
else:
    AnyGate = Annotated[reduce(or_, Gate.__subclasses__()), Field(discriminator="kind")]


class Watch(Strict):
    """Where new data comes from. Without `folder`: what `dvc import-url` recorded in the pointer."""

    pointer: str
    """The .dvc file that names the data, for instance data/flights.parquet.dvc."""
    folder: str | None = None
    """Folder or bucket where files land (s3://, gs://, abfs://, or a path)."""
    pattern: str = "*"
    mode: Literal["replace", "collect"] = "replace"
    """The newest file replaces the data, or each new file is added to the folder of the pointer."""
    settle_seconds: Annotated[float, Field(ge=0)] = 60.0
    """A file that changed within this time may be half-written and waits for the next look."""


class NewestRow(Strict):
    """One alarm when the data that the model was made of has become old."""

    column: str
    """Time column of the rows that `rows` names; without them of the data itself."""
    at_most_days: Annotated[float, Field(gt=0)]
    """How old the newest row may be."""


class NewData(Strict):
    watch: list[Watch] = []
    newest_row: NewestRow | None = None
    deliver: Literal["push", "pull-request"] = "push"
    """How the pointer reaches main; where main is protected, always by pull request."""


class Registry(Strict):
    """A server that mirrors the versions; usually in mlops.d/."""

    sync: str
    """Run after each registration and promotion, and by `mlops-kit registry sync`: brings the mirror to the history
    in the file that MLOPS_HISTORY names. Ends with 10 where the mirror says otherwise than the history."""


class PullRequest(Strict):
    train: Literal["full", "sample", "off"] = "full"


class Monitoring(Strict):
    """What to compare with the reference: the rows that the version in use was trained and tested on."""

    log: str | None = None
    """Predictions log: file, pattern or address; see predictions-log.md."""
    time: str | None = None
    """Time column of the rows: their order, and the season to compare with."""
    left_out: list[str] = []
    """Columns that are not compared, for instance ones that callers of `predict` do not send."""
    labels: str | None = None
    """What came true: table with the key and `label`; file, pattern or address."""
    label: str = "actual"
    """Column of the labels and of the rows that holds what came true."""
    slices: list[str] = []
    """Columns whose values are judged one by one when labels come."""
    labels_within_days: Annotated[float, Field(gt=0)] = 30.0
    """How long a prediction may wait for its label until it is an alarm that nothing is known."""
    p95_seconds_at_most: Annotated[float, Field(gt=0)] | None = None
    """Of a prediction's latency in the log."""
    errors_at_most: Annotated[float, Field(ge=0, lt=1)] = 0.01
    """Share of the log's rows."""
    silent_hours_at_most: Annotated[float, Field(gt=0)] | None = None
    """How old the newest prediction may be."""
    window_days: Annotated[float, Field(gt=0)] = 7.0
    """Of the log, so many days up to its newest prediction are one window."""
    model_days_at_most: Annotated[float, Field(gt=0)] | None = None
    """How old the version in use may be."""
    heartbeat_hours: Annotated[float, Field(gt=0)] = 50.0
    """After so long without a check the next merge says that the monitor has stopped."""
    memory_growth_at_most: Annotated[float, Field(gt=0)] = 0.1
    """Share of its memory by which a process may grow in a day, once it is warm; needs `memory_mb` in the log."""
    disk_free_share_at_least: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """Of the disk, in the newest line of the log that holds `disk_free_share`."""


class Alerts(Strict):
    """Who is told beside the issue on GitHub, and how often."""

    webhook: Literal["slack", "teams", "json"] | None = None
    """Form of the message; the address is a secret and comes from the variable MLOPS_WEBHOOK."""
    cooldown_hours: Annotated[float, Field(ge=0)] = 24.0
    """An alarm that comes back within this time goes on: its issue is opened again, and nobody gets another one."""
    runbook: str = "docs/runbook.md"
    """File with a heading for each alarm, to which its issue links."""


class Retrain(Strict):
    """When drift trains by itself: a dispatch of `drift-detected`, which goes the path of every merge."""

    windows: Annotated[int, Field(ge=1)] = 2
    """So many of the last windows must show drift, the newest among them; those that share rows count once."""
    of: Annotated[int, Field(ge=1)] = 3
    cooldown_days: Annotated[float, Field(ge=0)] = 7.0
    """Since the last such training; its model needs windows of its own."""
    a_day: Annotated[int, Field(ge=1)] = 1
    """At most so many within 24 hours, whatever the cooldown says."""

    @model_validator(mode="after")
    def _some_of_them(self) -> "Retrain":
        if self.windows > self.of:
            raise ValueError(f"{self.windows} windows of the last {self.of} cannot be")
        return self


class SigningKey(Strict):
    """The public part of a key that signs versions."""

    file: str
    """In PEM: Ed25519, ECDSA or RSA."""
    valid_until: date | None = None
    """The last day on which it may have signed a version. A stolen key is removed, not dated."""


class Signing(Strict):
    """Who signs versions: `register` signs the provenance with the key in the variable MLOPS_SIGNING_KEY, or with sigstore."""

    required: bool = False
    """Refuse to register, promote and serve versions without a valid signature. A wrong signature is always refused."""
    keys: list[
        Annotated[SigningKey, BeforeValidator(_as_mapping, json_schema_input_type=str | SigningKey)]
    ] = []
    """Public keys that may have signed; a path alone stands for `file`."""
    keyless: Annotated[str | None, Field(pattern=r"^https://[^\s@]+@refs/\S+$")] = None
    """Sign with sigstore where GitHub gives the job an identity, and accept this one: the address of the workflow that
    registers, such as https://github.com/OWNER/NAME/.github/workflows/train.yml@refs/heads/main."""


class Serving(Strict):
    """How `mlops-kit serve` answers requests; usually in mlops.d/."""

    engine: str
    """Folder with pyproject.toml and constraints.txt: what the replicas and the proxy need beside the model's own
    libraries."""
    replica: str
    """Starts one replica; run at the root, in the environment of the engine."""
    proxy: str = "envoy"
    """Starts Envoy, in the same environment."""
    predict: Annotated[str | None, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")] = None
    """The function that takes a list of rows and returns a list of answers, as module:function."""
    log: str = ".mlops/serving/predictions"
    """Folder of the predictions log."""
    replicas: Annotated[int, Field(ge=1)] = 2
    """Processes that answer."""
    stage: str = "production"
    """The stage whose version is served."""
    servers: list[Annotated[str, Field(pattern=r"^https?://[^\s/]+/?$")]] = []
    """Addresses of servers that `promote` and `rollback` ask to look at the stage at once."""


Hook = Literal["before_train", "after_gate", "after_register", "after_promote", "after_monitor"]
