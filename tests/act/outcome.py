"""What a run left behind, read from act's events."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

_TERMINAL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_=>])|\r")
TAIL = 80  # lines
NANO = 1e-9
Declared = Mapping[tuple[str, str], set[str]]  # (job's id, step's id) -> the outputs of the action it uses


@dataclass(frozen=True)
class Message:
    """An annotation: a step wrote ::notice::, ::warning:: or ::error::."""

    kind: str
    text: str
    job: str
    step: str
    title: str
    file: str


@dataclass
class Outcome:
    """Jobs are named by id; `CALLER/id` in a called workflow, `id (value)` in a matrix.

    A job or step that was skipped is not there. Steps are named as in the workflow, the steps inside a
    composite action are not listed; `outputs[job][step's id]`, `id/inner` inside a composite.
    """

    code: int
    commit: str
    artifacts: Path
    seconds: float
    jobs: dict[str, str] = field(default_factory=dict)
    steps: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    took: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))  # seconds
    outputs: dict[str, dict[str, dict[str, str]]] = field(default_factory=lambda: defaultdict(dict))
    summaries: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    messages: list[Message] = field(default_factory=list)
    lines: list[tuple[str, str]] = field(default_factory=list)  # job, what it said

    @property
    def log(self) -> str:
        return "".join(f"{job:10} | {line}\n" for job, line in self.lines)

    @property
    def summary(self) -> str:
        return "\n".join(text for of in self.summaries.values() for text in of.values())

    @property
    def notices(self) -> list[str]:
        return self._texts("notice")

    @property
    def warnings(self) -> list[str]:
        return self._texts("warning")

    @property
    def errors(self) -> list[str]:
        return self._texts("error")

    def log_of(self, job: str) -> str:
        return "".join(f"{line}\n" for of, line in self.lines if of == job)

    def artifact(self, name: str) -> Path:
        assert (self.artifacts / name).is_dir(), f"no artifact {name!r}: {self.artifact_names()}"
        return self.artifacts / name

    def artifact_names(self) -> list[str]:
        return sorted(path.name for path in self.artifacts.iterdir())

    def must(self, jobs: Mapping[str, str]) -> Self:
        """All of the jobs that ran, with their results."""
        if self.jobs != dict(jobs):
            tail = "\n".join(self.log.splitlines()[-TAIL:])
            raise AssertionError(f"the jobs were {self.jobs}, not {dict(jobs)}\n{tail}")
        return self

    def _texts(self, kind: str) -> list[str]:
        return [message.text for message in self.messages if message.kind == kind]


def read(outcome: Outcome, events: Iterable[str], workflow: str, declared: Declared) -> Outcome:
    """`workflow` is the name that act puts before its own jobs."""
    reader = _Reader(outcome, workflow, declared)
    for line in events:
        if line.startswith("{"):
            reader.event(json.loads(line))
        elif line.strip():
            outcome.lines.append(("act", _plain(line)))
    return outcome


class _Reader:
    def __init__(self, outcome: Outcome, workflow: str, declared: Declared) -> None:
        self.outcome, self.workflow, self.declared = outcome, workflow, declared
        self.names: dict[tuple[str, str], str] = {}
        self.last_summary: dict[str, tuple[list[str], str]] = {}

    def event(self, event: dict[str, Any]) -> None:
        job = self._job(event)
        if "jobResult" in event:
            self.outcome.jobs[job] = event["jobResult"]
        ids = event.get("stepID", [])
        if event.get("stage") == "Main":
            if "stepResult" in event and len(ids) == 1:
                step = self._step(job, event)
                self.outcome.steps[job][step] = event["stepResult"]
                self.outcome.took[job][step] = NANO * event.get("executionTime", 0)
            self._command(job, ids, event)
        self.outcome.lines.extend((job, line) for line in _plain(event.get("msg", "")).splitlines())

    def _command(self, job: str, ids: list[str], event: dict[str, Any]) -> None:
        match event.get("command"):
            case "set-output" if event["name"] in self._outputs(event, ids):
                self.outcome.outputs[job].setdefault("/".join(ids), {})[event["name"]] = event["arg"]
            case "summary" if not self._repeated(job, ids, event["content"]):
                texts, step = self.outcome.summaries[job], self._step(job, event)
                texts[step] = texts.get(step, "") + event["content"]
            case "notice" | "warning" | "error" as kind:
                more = event.get("kvPairs") or {}
                about = (job, self._step(job, event), more.get("title", ""), more.get("file", ""))
                self.outcome.messages.append(Message(kind, event["arg"], *about))

    def _outputs(self, event: dict[str, Any], ids: list[str]) -> set[str]:
        """Those that the step may have."""
        own = {str(event["name"])}
        return own if len(ids) > 1 else self.declared.get((str(event["jobID"]), ids[0]), own)

    def _repeated(self, job: str, ids: list[str], content: str) -> bool:
        """A composite step says its last inner step's summary again."""
        before = self.last_summary.get(job)
        self.last_summary[job] = ids, content
        return before is not None and before[1] == content and before[0][: len(ids)] == ids != before[0]

    def _job(self, event: dict[str, Any]) -> str:
        if "jobID" not in event:
            return "act"
        first = str(event["job"]).split("/")[0].strip()
        name = str(event["jobID"])
        if first != self.workflow:
            name = f"{first}/{name}"
        if event.get("matrix"):
            name += f" ({', '.join(str(value) for value in event['matrix'].values())})"
        return name

    def _step(self, job: str, event: dict[str, Any]) -> str:
        """Two steps of one name are told apart by the second one's id."""
        id_, name = str(event["stepID"][0]), str(event["step"]).strip()
        names = {of for (in_, key), of in self.names.items() if in_ == job and key != id_}
        return self.names.setdefault((job, id_), f"{name} [{id_}]" if name in names else name)


def _plain(text: str) -> str:
    return _TERMINAL.sub("", text).rstrip("\n")
