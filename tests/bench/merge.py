"""A whole merge, run by act: what of its time is ours, and what the project's own commands take."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.act.api import Api
from tests.act.forge import Forge
from tests.act.remotes import Folder, stock
from tests.act.server import serving
from tests.bench.kit import launched
from tests.bench.measure import BenchError, Spent, output, seconds
from tests.bench.peers import Peers
from tests.bench.tables import Reach, Table, generated
from tests.conftest import exported

# Steps of train.yml that are our actions; the others check out, install and hand files on.
OURS = (
    "Set up uv and the kit", "Look for new data", "Check the data", "Train and evaluate", "Gate",
    "Push the data and hand over", "Report", "Set up the kit", "Register",
)  # fmt: skip
COMMANDS = ("dvc", "validate", "predict", "latency", "python")  # of mlops.yaml
KIT = "kit"  # what an action runs, those commands in it; how act starts an action is act's
TIMED = """#!/bin/bash
begin=$EPOCHREALTIME
"$@"
code=$?
echo "$(( ${{EPOCHREALTIME/./}} - ${{begin/./}} )) {name}" >> {log}
exit $code
"""
LAUNCHER = 'exec bash {clock} sh "$(dirname -- "$0")/mlops-kit-itself" "$@"\n'
LIMIT = 4.0  # seconds that are ours


@dataclass(frozen=True)
class Share:
    """Seconds of one run."""

    whole: float
    ours: float
    commands: dict[str, float]  # of the project, by the key in mlops.yaml
    steps: dict[str, float]  # that are our actions, with the project's commands in them, and act's part


def merge(peers: Peers, runs: int) -> Table:
    """Unchanged inputs, and a parameter that changed; the project's commands are timed one by one."""
    folder = peers.work / "merge"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    # A job of act has a home of its own, and no network: the packages must be in the cache already.
    os.environ["UV_CACHE_DIR"] = output(["uv", "cache", "dir"], folder).strip()
    launched(folder)
    with serving(Api()) as api:
        forge = _forge(folder, generated(peers, "flights"), api)
        log = _timed(forge, folder)
        _run(forge, log)
        unchanged, training = [], []
        for turn in range(runs):
            unchanged.append(_run(forge, log))
            _learn_faster(forge, turn)
            training.append(_run(forge, log))
    found = {"unchanged": unchanged, "training": training}
    spent: dict[str, list[Spent]] = {}
    for name, shares in found.items():
        spent |= {f"{name}: ours": [Spent(one.ours) for one in shares]}
        spent |= {f"{name}: whole": [Spent(one.whole) for one in shares]}
    notes = [line for name, shares in found.items() for line in _in_words(name, shares)]
    reaches = [Reach(name, seconds(spent[f"{name}: ours"]), LIMIT) for name in found]
    return Table("merge", spent, reaches, notes)


def _forge(folder: Path, project: Path, api: Api) -> Forge:
    """With data and model in the remote, as after `dvc push`."""
    work, export, storage = folder / "flights", folder / "export", Folder(folder / "storage")
    export.mkdir()
    shutil.copytree(project, work, symlinks=True, ignore=shutil.ignore_patterns(".venv"))
    (work / ".venv").symlink_to(project / ".venv")
    forge = Forge(folder / "forge", work, api, exported(export))
    for key, value in (("name", "bench"), ("email", "bench@localhost")):
        forge.git("config", f"user.{key}", value)
    stock(storage, work)
    forge.merge("Add a DVC remote", {".dvc/config": storage.config()})
    return forge


def _timed(forge: Forge, folder: Path) -> Path:
    """Puts a clock around each command of mlops.yaml, and around the kit; where they write to."""
    log, text = folder / "commands.log", (forge.work / "mlops.yaml").read_text("utf-8")
    for name in COMMANDS:
        clock = folder / f"timed-{name}"
        clock.write_text(TIMED.format(name=name, log=log))
        clock.chmod(0o755)
        text = text.replace(f"  {name}: uv run", f"  {name}: {clock} uv run", 1)
    launcher = forge.export / "actions/mlops-kit"
    launcher.rename(launcher.with_name("mlops-kit-itself"))
    clock = folder / f"timed-{KIT}"
    clock.write_text(TIMED.format(name=KIT, log=log))
    launcher.write_text(LAUNCHER.format(clock=clock))
    forge.merge("Time the commands", {"mlops.yaml": text})
    return log


def _learn_faster(forge: Forge, turn: int) -> None:
    path = forge.work / "params.yaml"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if "learning_rate:" in line)
    lines[at] = f"{lines[at].partition(':')[0]}: {0.06 + turn / 100:.2f}\n"
    forge.merge("Learn faster", {"params.yaml": "".join(lines)})


def _run(forge: Forge, log: Path) -> Share:
    log.unlink(missing_ok=True)
    outcome = forge.run("train.yml", "workflow_dispatch")
    if set(outcome.jobs.values()) != {"success"}:
        raise BenchError(f"the jobs were {outcome.jobs}:\n" + "\n".join(outcome.log.splitlines()[-15:]))
    took = dict.fromkeys([*COMMANDS, KIT], 0.0)
    for line in log.read_text().splitlines():
        microseconds, _, name = line.partition(" ")
        took[name] += int(microseconds) / 1e6
    commands = {name: took[name] for name in COMMANDS}
    steps = {step: long for of in outcome.took.values() for step, long in of.items() if step in OURS}
    ours = took[KIT] - sum(commands.values())
    return Share(outcome.seconds, ours, commands, steps)


def _in_words(name: str, shares: list[Share]) -> list[str]:
    middle = {key: median(one.commands[key] for one in shares) for key in COMMANDS}
    said = ", ".join(f"{key} {took:.2f} s" for key, took in middle.items() if took)
    steps = {step: median(one.steps.get(step, 0.0) for one in shares) for step in shares[0].steps}
    within = ", ".join(f"{step} {took:.2f} s" for step, took in steps.items())
    rest = median(one.whole - one.ours - sum(one.commands.values()) for one in shares)
    return [
        f"{name}: the project's {said}; checkout, environment and act itself {rest:.2f} s",
        f"{name}: our steps, with those commands in them: {within}",
    ]


TABLES: dict[str, tuple[Callable[[Peers, int], Table], int]] = {"merge": (merge, 5)}
