"""The record of a trained model: what made it, how good it is, and what changed."""

import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from mlops_kit.base import clock, strict
from mlops_kit.base.strict import Strict
from mlops_kit.data import columns

FILE = "record.json"
CARD = "MODEL_CARD.md"
BOM = "bom.cdx.json"
PROVENANCE, SIGNATURE, SIGSTORE = "provenance.json", "provenance.dsse.json", "provenance.sigstore.json"
MOST_TABLES = 10
MOST_DIGESTS = 1000
MD5, SHA256 = r"^[0-9a-f]{32}$", r"^[0-9a-f]{64}$"


def _exists(time: str) -> str:
    """Raises ValueError for a day or an hour that no calendar has."""
    clock.moment(time)
    return time


class File(Strict):
    path: str
    md5: str
    bytes: int | None = None
    rows: int | None = None
    """Of a table; None for what is not one, or is not here."""


class Digest(Strict):
    """A file of the artifacts. Its SHA-256 can be told only where the file is, and is believed."""

    path: str
    md5: Annotated[str, Field(pattern=MD5)]
    sha256: Annotated[str, Field(pattern=SHA256)]


class Summed(Strict):
    """A table by its columns. Like rows it can be told only where the data is, and is believed."""

    path: str
    md5: str
    """Of the output around it where the table is inside one."""
    table: columns.Table


class Code(Strict):
    commit: str
    files: list[File]
    """Dependencies of the pipeline that are in Git."""


class Environment(Strict):
    files: dict[str, str]
    """SHA-256 of each file that pins what runs."""
    python: str | None
    """None where the pipeline is not Python."""
    platform: str
    threads: int


class Trigger(Strict):
    event: str
    actor: str
    run: str
    """Run id, as `mlops-kit runs` has it."""
    url: str | None = None


class Identity(Strict):
    """The same inputs and the same predictions are the same result."""

    inputs: str
    """SHA-256 over code, data, parameters, commands and environment."""
    predictions: str
    """md5 of the evaluated predictions."""


class Record(Strict):
    """`record.json` of a version's commit. A rejected model has one too, on the branch mlops/runs."""

    schema_: Literal[1] = 1
    model: str
    version: str | None
    """None for a model that the gates rejected."""
    created: str
    code: Code
    data: list[File]
    parameters: dict[str, Any]
    metrics: dict[str, Any]
    environment: Environment
    artifacts: list[File]
    trigger: Trigger
    gates: list[dict[str, Any]]
    measured: dict[str, Any]
    """Latency and size as the gate measured them, with machine and n."""
    identity: Identity
    description: str
    """What changed since the version before, for a person."""
    since: str | None
    """The version that the description compares with."""
    tables: Annotated[list[Summed], Field(max_length=MOST_TABLES)] = []
    """What was trained on, column by column: the rows of `rows.train`, else each table of the data."""
    digests: Annotated[list[Digest], Field(max_length=MOST_DIGESTS)] = []
    """Each file of the artifacts, as the training job measured it; empty if there are more than a thousand."""
    newest_row: (
        Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"), AfterValidator(_exists)] | None
    ) = None
    """Time of the newest row, by the column that `new_data.newest_row` names."""
    reported: list[str] = []
    """Fields that the job that registered took as the training job measured them; it worked out all others itself."""

    def text(self) -> str:
        return json.dumps(self.model_dump(), indent=2, ensure_ascii=False) + "\n"


def parse(text: str, where: str) -> Record:
    """Raises KitError naming the field that is missing or wrong."""
    do = "It was altered, or written by a newer kit: `mlops-kit doctor` says which version is needed."
    return strict.parse(Record, text, where, "is not a record", do)
