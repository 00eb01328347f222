"""What a GitHub runner tells a step, and how a step answers."""

import json
import os
import re
import uuid
from pathlib import Path
from typing import Any

from mlops_kit.base.masking import masked

BY_HAND = "manual"


def on_runner() -> bool:
    return os.environ.get("GITHUB_ACTIONS") == "true"


def event() -> dict[str, Any]:
    """The payload of the event; untrusted. Empty where there is none."""
    path = os.environ.get("GITHUB_EVENT_PATH", "")
    if not path or not Path(path).is_file():
        return {}
    content = json.loads(Path(path).read_text(encoding="utf-8") or "{}")
    return content if isinstance(content, dict) else {}


def event_name() -> str:
    """push, pull_request, schedule, ...; what an orchestrator says in MLOPS_TRIGGER; `manual` on a laptop."""
    return os.environ.get("GITHUB_EVENT_NAME") or os.environ.get("MLOPS_TRIGGER") or BY_HAND


def is_fork() -> bool:
    """True for a fork's own runs and for a pull request from one: neither has secrets."""
    payload = event()
    head = (payload.get("pull_request") or {}).get("head") or {}
    return bool((head.get("repo") or {}).get("fork") or (payload.get("repository") or {}).get("fork"))


def pull_request_number() -> int | None:
    number = (event().get("pull_request") or {}).get("number")
    return int(number) if number else None


def numbered() -> tuple[str, int]:
    """The workflow, as a file name, and which of its runs this is; an empty name anywhere else."""
    name, number = (os.environ.get(f"GITHUB_{what}", "") for what in ("WORKFLOW", "RUN_NUMBER"))
    if not on_runner() or not number.isdigit():
        return "", 0
    return re.sub(r"[^A-Za-z0-9-]+", "-", name).strip("-"), int(number)


def run_url() -> str | None:
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    server, repository, run = (os.environ.get(name) for name in names)
    return f"{server}/{repository}/actions/runs/{run}" if server and repository and run else None


def output(**values: object) -> None:
    """Sets a step's outputs; on a laptop it does nothing."""
    path = os.environ.get("GITHUB_OUTPUT")
    if not path:
        return
    with Path(path).open("a", encoding="utf-8", newline="\n") as stream:
        for name, value in values.items():
            text = str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
            end = uuid.uuid4().hex  # so that no value can set another output
            stream.write(f"{name.replace('_', '-')}<<{end}\n{text}\n{end}\n")


def summary(markdown: str) -> None:
    """Adds to the step's summary; on a laptop it does nothing."""
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(path).open("a", encoding="utf-8", newline="\n") as stream:
            stream.write(masked(markdown).rstrip("\n") + "\n")


def annotate(level: str, text: str) -> None:
    """`level` is notice, warning or error. DVC may leave an unfinished line: so a new one first."""
    if on_runner():
        escaped = masked(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        print(f"\n::{level}::{escaped}", flush=True)
