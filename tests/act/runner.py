"""Runs one workflow of a clone with act, without Docker and without the network."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests import uv_with_cache
from tests.act import actions, outcome, workflows
from tests.act.outcome import Outcome

ACT = Path(sys.executable).with_name("act")
SECONDS = 300  # after which a run hangs
# act does not wait for the output of a step that fails, so the step waits for act
SHELL = """#!/bin/sh
case "$*" in */act/workflow/*) ;; *) exec {real} "$@" ;; esac
{real} "$@"
code=$?
[ $code = 0 ] || sleep 0.2
exit $code
"""
SHORTEST_SECRET = 8  # a shorter one is masked in the middle of other words
# Of the machine and of whoever runs the tests. A runner has none of it.
LEFT_OUT = (
    "ACT_", "AWS_", "AZURE_", "CI", "CLOUDSDK_", "COPIER_", "COV_", "DVC_", "GCLOUD_", "GH_", "GIT_",
    "GITHUB_", "GOOGLE_", "INPUT_", "MLFLOW_", "MLOPS_", "PREFECT_", "PYTEST_", "PYTHON", "RUNNER_", "UV_FROZEN",
    "UV_NO_SYNC", "UV_OFFLINE", "UV_PROJECT", "VIRTUAL_ENV", "WANDB_", "XDG_",
)  # fmt: skip


@dataclass(frozen=True)
class Job:
    """All that decides a run but the repository. `environment` is the runner's, as its image would have it."""

    workflow: str
    event: str
    payload: Mapping[str, object]
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    github: Mapping[str, str] = field(default_factory=dict)  # GITHUB_*, over what act would say
    environment: Mapping[str, str] = field(default_factory=dict)
    actor: str = "ada"
    online: bool = False
    only: str = ""  # this job of the workflow, and what it needs
    ready: uv_with_cache.Ready | None = None  # without it each job installs its environments


def run(job: Job, repository: str, clone: Path, export: Path, folder: Path) -> Outcome:
    """`folder` is this run's own and new; of it only the artifacts are left."""
    files = workflows.called(clone / workflows.FOLDER / job.workflow)
    for file in files:
        workflows.refuse_unknown_runners(file, job.variables)
    inputs = job.payload.get("inputs")
    workflows.refuse_unknown_trigger(files[0], job.event, inputs if isinstance(inputs, dict) else {})
    known = actions.local_repositories(clone, files, export)
    declared = actions.declared_outputs(clone, files, export)
    actions.refuse_undeclared_outputs(files, declared)
    workflows.copy_for_act(files, repository, folder / "workflows")
    known[f"{repository}@{workflows.CALLED}"] = folder / "workflows"
    (folder / "artifacts").mkdir()
    (folder / "home").mkdir()
    name = str(workflows.read(files[0]).get("name", job.workflow))
    begin = time.monotonic()
    try:
        code, events, said = _act(_command(job, clone, folder, known), _environment(job, folder))
    finally:
        for gone in ("cache", "clone", "home", "shells", "workflows"):
            shutil.rmtree(folder / gone, ignore_errors=True)
    seconds = time.monotonic() - begin
    found = Outcome(code, job.github.get("GITHUB_SHA", ""), folder / "artifacts", seconds)
    outcome.read(found, [*events.splitlines(), *said.splitlines()], name, declared)
    assert found.jobs or code == 0, f"act ran nothing\n{found.log}"
    return found


def _command(job: Job, clone: Path, folder: Path, known: Mapping[str, Path]) -> list[str]:
    (folder / "event.json").write_text(json.dumps(job.payload), "utf-8")
    (folder / "empty").touch()
    short = [name for name, value in job.secrets.items() if len(value) < SHORTEST_SECRET]
    assert not short, f"secrets shorter than {SHORTEST_SECRET} characters garble the log: {short}"
    command = [str(ACT), job.event, "--directory", str(clone), "--json", "--no-cache-server"]
    command += ["--workflows", str(folder / "workflows" / workflows.FOLDER / job.workflow)]
    command += ["--job", job.only] if job.only else []
    command += ["--eventpath", str(folder / "event.json"), "--actor", job.actor, "--defaultbranch", "main"]
    command += ["--action-cache-path", str(folder / "cache")]  # absolute, or scripts are not found
    command += [f"--platform={label}=-self-hosted" for label in workflows.RUNNERS]
    command += [f"--{kind}-file={folder / 'empty'}" for kind in ("env", "secret", "var", "input")]
    command += [f"--local-repository={name}={path}" for name, path in known.items()]
    command += [f"--env={name}={value}" for name, value in job.github.items()]
    command += [f"--var={name}={value}" for name, value in job.variables.items()]
    return command + [f"--secret={name}={value}" for name, value in job.secrets.items()]


def _environment(job: Job, folder: Path) -> dict[str, str]:
    """What steps inherit: an empty home, no identity for Git, no terminal's comforts."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(LEFT_OUT)}
    beside = str(Path(sys.executable).parent)
    places = [path for path in kept["PATH"].split(os.pathsep) if path != beside]
    kept["PATH"] = os.pathsep.join([str(_shells(folder / "shells", job.ready)), *places])
    if not job.online:
        kept["UV_OFFLINE"] = "1"
    return kept | {
        "HOME": str(folder / "home"),
        "TERM": "dumb",  # act gives steps a terminal, GitHub does not
        "PAGER": "cat",
        "AWS_EC2_METADATA_DISABLED": "true",  # there is none, and looking for it takes seconds
        "DVC_NO_ANALYTICS": "1",
        "STUB_ARTIFACTS": str(folder / "artifacts"),
        "STUB_PYTHON": sys.executable,
        **job.environment,
    }


def _shells(folder: Path, ready: uv_with_cache.Ready | None) -> Path:
    folder.mkdir()
    for name in ("bash", "sh"):
        (folder / name).write_text(SHELL.format(real=shutil.which(name)))
        (folder / name).chmod(0o755)
    uv_with_cache.put(folder, ready)
    return folder


def _act(command: list[str], environment: Mapping[str, str]) -> tuple[int, str, str]:
    process = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=SECONDS)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)  # the steps too
        process.communicate()
        raise
    return process.returncode, out, err
