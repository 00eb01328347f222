"""What `verify` found, kept as an event of its run: here, and after `runs --publish` for everybody."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from mlops_kit.project import commits
from mlops_kit.project.repository import Repository
from mlops_kit.runs import event_schema, events
from mlops_kit.versions.version import Version

STAGE = "verify"
# The result of a stage, and of a version that of its worst.
Result = Literal["same", "warning", "differs"]
WORST: tuple[Result, ...] = ("differs", "warning", "same")


@dataclass(frozen=True)
class StageProof:
    """What a stage made again; `because` names the stages before it whose other results it read."""

    stage: str
    result: Result
    how: list[str] = field(default_factory=list)
    because: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Proof:
    version: str
    commit: str
    result: Result
    says: str
    stages: list[StageProof]
    machine: dict[str, Any]
    at: str = ""
    run: str = ""
    seconds: float = 0.0


def facts(proof: Proof) -> dict[str, Any]:
    """The proof as facts of an event, without the time, run and seconds that the event has itself."""
    fields = {
        name: value for name, value in asdict(proof).items() if name not in ("result", "at", "run", "seconds")
    }
    return {"status": proof.result, **fields}


def of(repository: Repository, version: Version) -> list[Proof]:
    """The proofs of this version's commit, newest first: fetched ones and those of this clone."""
    lines = {*_published_lines(repository), *_local_lines(repository)}
    proofs = [_proof(line) for line in lines if f'"{version.commit}"' in line]
    return sorted(
        (proof for proof in proofs if proof and proof.commit == version.commit), key=lambda proof: proof.at
    )[::-1]


def _local_lines(repository: Repository) -> list[str]:
    folder = repository.root / events.LOCAL
    texts = [file.read_text("utf-8", "replace") for file in folder.glob("*.jsonl")]
    return [line for text in texts for line in text.splitlines() if f'"stage": "{STAGE}"' in line]


def _published_lines(repository: Repository) -> list[str]:
    """The lines of published verify events. Git searches them, which is fast even for years of runs."""
    refs = [f"refs/remotes/origin/{events.BRANCH}", f"refs/heads/{events.BRANCH}"]
    tip = next((ref for ref in refs if commits.tip(repository, ref)), None)
    search = ("grep", "-h", "-F", f'"stage": "{STAGE}"', tip or "", "--", "events/")
    if tip is None or not repository.asks(
        "grep", "-q", *search[2:]
    ):  # Git ends with 1 where it finds nothing
        return []
    return repository.git(*search).splitlines()


def _proof(line: str) -> Proof | None:
    """The proof of an event line; None for the event of a start, of another kit, or one that cannot be read."""
    try:
        event = json.loads(line)
        if not event_schema.is_readable(event):
            return None
        stages = [StageProof(**one) for one in event["stages"]]
        names = ("version", "commit", "says", "machine", "at", "run", "seconds")
        return Proof(result=event["status"], stages=stages, **{name: event[name] for name in names})
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
