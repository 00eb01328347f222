"""What a GitHub runner says about the run, and how a step answers: outputs, summary, annotations."""

import json
import os
import re
import uuid
from pathlib import Path
from typing import Any

from mlops_kit.base import github_env, terminal
from mlops_kit.base.masking import masked

BY_HAND = "manual"
PULL_REQUESTS = ("pull_request", "pull_request_target")  # events whose payload names a pull request
LONGEST_SUMMARY = 1024 * 1024  # bytes; GitHub drops a longer summary of a step


def on_runner() -> bool:
    return github_env.on_runner()


# ---- the event ----


def event() -> dict[str, Any]:
    """The payload of the event; untrusted. Empty where there is none, or where it is not a JSON object."""
    path = github_env.event_file()
    try:
        payload = json.loads(Path(path).read_text(encoding="utf-8")) if path else {}
    except (OSError, ValueError):
        return {}
    return payload if isinstance(payload, dict) else {}


def event_name() -> str:
    """push, pull_request, schedule, ...; what an orchestrator says in MLOPS_TRIGGER; `manual` on a laptop."""
    return github_env.event_name() or os.environ.get("MLOPS_TRIGGER") or BY_HAND


def is_fork() -> bool:
    """True for a fork's own runs and for a pull request from a fork: neither has secrets.

    A pull request whose source cannot be read counts as one from a fork: GitHub names no head repository once the
    fork was deleted, and the careful mistake is to train on the sample and to keep no reference.
    """
    payload = event()
    if _dict(payload, "repository").get("fork"):
        return True
    if "pull_request" not in payload and github_env.event_name() not in PULL_REQUESTS:
        return False
    head = _dict(_dict(payload, "pull_request"), "head")
    return _dict(head, "repo").get("fork") is not False


def pull_request_number() -> int | None:
    """By the payload, else by the ref refs/pull/N/merge; None for a run of no pull request."""
    number = _dict(event(), "pull_request").get("number")
    if isinstance(number, int):
        return number
    ref = re.fullmatch(r"refs/pull/(\d+)/(?:merge|head)", github_env.ref())
    return int(ref[1]) if ref else None


def _dict(payload: dict[str, Any], key: str) -> dict[str, Any]:
    value = payload.get(key)
    return value if isinstance(value, dict) else {}


# ---- the run ----


def run_id() -> str:
    """ID-ATTEMPT of the workflow run; empty on a laptop."""
    run = github_env.run_id()
    return f"{run}-{github_env.run_attempt()}" if run else ""


def workflow_run() -> tuple[str, int]:
    """The workflow, as a file name, and which of its runs this is; an empty name anywhere else."""
    number = github_env.run_number()
    if not on_runner() or not number.isdigit():
        return "", 0
    return re.sub(r"[^A-Za-z0-9-]+", "-", github_env.workflow()).strip("-"), int(number)


def run_url() -> str | None:
    repository, run = github_env.repository(), github_env.run_id()
    return f"{github_env.server_url()}/{repository}/actions/runs/{run}" if repository and run else None


# ---- answers ----


def output(**values: object) -> None:
    """Sets the step's outputs; does nothing on a laptop."""
    path = github_env.output_file()
    if not path:
        return
    with Path(path).open("a", encoding="utf-8", newline="\n") as stream:
        for name, value in values.items():
            text = str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
            end = uuid.uuid4().hex  # so that no value can set another output
            stream.write(f"{name.replace('_', '-')}<<{end}\n{text}\n{end}\n")


def summary(markdown: str) -> None:
    """Appends Markdown, with secrets masked, to the step's summary; does nothing on a laptop.

    A text that is too long for GitHub is left out: it would take the summary of the other commands with it.
    """
    path, text = github_env.summary_file(), masked(markdown)
    if path and len(text.encode()) < LONGEST_SUMMARY:
        with Path(path).open("a", encoding="utf-8", newline="\n") as stream:
            stream.write(f"{text}\n")


def annotate(level: str, text: str) -> None:
    """`level` is notice, warning or error. DVC may leave an unfinished line, so a new line comes first."""
    if on_runner():
        escaped = terminal.plain(masked(text)).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        print(f"\n::{level}::{escaped}", flush=True)
