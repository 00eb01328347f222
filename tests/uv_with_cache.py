"""uv as the launcher of the kit finds it in tests.

It has this machine's cache, where a real job downloads everything. It can also be given environments that are ready,
for tests of what runs in a job and not of how its environments are made.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

UV = """#!/bin/sh
if [ "$1 $2" = "--no-config --cache-dir" ]; then
    shift 3
    {kit}
    set -- --no-config --cache-dir '{cache}' "$@"
fi
{project}
exec '{uv}' "$@"
"""
# In a repository `uv sync`, where its lock is that of the ready environment. By the launcher
# `uv venv ... ENVIRONMENT`, then `uv pip sync ... --python ENVIRONMENT/bin/python REQUIREMENTS`.
PROJECT = """\
if [ "$1" = sync ] && [ ! -e .venv ] && cmp -s uv.lock '{project}/uv.lock'; then ln -s '{project}/.venv' .venv; fi
"""
KIT = """\
for last; do [ "$previous" != --python ] || environment=${{last%/bin/python}}; previous=$last; done
    if [ "$1" = venv ]; then exit 0; fi
    rm -rf "$environment"
    exec ln -s '{kit}'/"$(basename "$last")" "$environment"
"""


@dataclass(frozen=True)
class Ready:
    """Environments that are linked where a job would install the same packages, and compile them, once more."""

    project: Path  # a repository with its environment
    kit: Path  # what `make_ready` made


def put(folder: Path, ready: Ready | None = None) -> str:
    """Write such a `uv` into the folder. Returns a PATH that has it first."""
    uv = shutil.which("uv")
    assert uv and not Path(uv).is_relative_to(folder)
    cache = subprocess.run(["uv", "cache", "dir"], capture_output=True, text=True, check=True).stdout.strip()
    project = PROJECT.format(project=ready.project) if ready else ""
    kit = KIT.format(kit=ready.kit) if ready else ""
    (folder / "uv").write_text(UV.format(uv=uv, cache=cache, kit=kit, project=project))
    (folder / "uv").chmod(0o755)
    return os.pathsep.join((str(folder), os.environ["PATH"]))


def make_ready(actions: Path, into: Path, must: Callable[..., str]) -> None:
    """The launcher's environments, each in a folder with the name of its requirements; the kit is compiled."""
    for tables, requirements in (("true", "requirements.txt"), ("false", "requirements-without-tables.txt")):
        job = into / f"job-{tables}"
        job.mkdir()
        variables = {"RUNNER_TEMP": str(job), "MLOPS_KIT_TABLES": tables, "PATH": put(job)}
        must(["sh", actions / "mlops-kit", "--version"], job, **variables)
        environment = job / ".venv-mlops-kit"
        kit = next(environment.glob("lib/python3*/site-packages/mlops_kit"))
        must([environment / "bin/python", "-m", "compileall", "-q", kit], job)
        (into / requirements).symlink_to(environment)
