"""Train: run the project's DVC from the newest lock. If it fails, the workspace is as it was before."""

import json
import re
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from mlops_kit.base import files
from mlops_kit.base.errors import KitError
from mlops_kit.base.processes import STAGE, ProcessError, TimedOut, follow_within, words
from mlops_kit.base.progress import Say
from mlops_kit.forge import runner
from mlops_kit.project import dvc_config
from mlops_kit.project.contract import Contract
from mlops_kit.project.lock import LOCK, Lock, parse_lock
from mlops_kit.project.repository import Repository
from mlops_kit.project.restore import restore_on_failure
from mlops_kit.project.transfer import DO, STALL, named, transfer
from mlops_kit.project.undo import put
from mlops_kit.runs import hooks
from mlops_kit.runs.events import Journal
from mlops_kit.training import freshness, inputs, sample, train_with
from mlops_kit.training.freshness import Baseline, Freshness
from mlops_kit.versions import version

STATE = Path(".mlops/training.json")
SAMPLE_LOCK = Path(".mlops/sample.lock")  # what the sample gave; dvc.lock stays the data's

# Not the run cache of the remote: who can write there could say that a stage once made another model, with its hash.
PULL = ("--pull", "--allow-missing", "--no-run-cache")
SAYS = {  # what DVC says of a stage, and our word for it
    "ran": re.compile(r"Running stage '([^']+)'"),
    "cached": re.compile(r"Stage '([^']+)' is cached"),
    "unchanged": re.compile(r"Stage '([^']+)' didn't change"),
}


@dataclass(frozen=True)
class Training:
    """The result of the last `train`, kept in `.mlops/training.json` for gate, report and register."""

    run: str
    commit: str
    on: str  # data, or sample
    why_sample: str  # "no remote", "fork", "pull request", "asked"; empty when trained on the data
    stages: dict[str, str] = field(default_factory=dict)  # name -> ran, cached or unchanged
    seconds: float = 0.0

    @property
    def registers(self) -> bool:
        return self.on == "data"

    @property
    def changed(self) -> bool:
        return any(status != "unchanged" for status in self.stages.values())

    @property
    def heading(self) -> str:
        if self.on == "data":
            return "trained on the data" if self.changed else "nothing to train: no input changed"
        return f"{self.why_sample}: trained on the committed sample, nothing registered"


def load(repository: Repository) -> Training | None:
    """The last training in this clone; None if there was none."""
    text = repository.text(str(STATE))
    try:
        return Training(**json.loads(text)) if text else None
    except (ValueError, TypeError, RecursionError) as error:
        raise KitError(f"{STATE} is damaged: {error}.", f"`rm {STATE}`, then `mlops-kit train`.") from error


def save(repository: Repository, training: Training) -> None:
    files.write(repository.root / STATE, json.dumps(asdict(training), indent=2) + "\n")


def lock(repository: Repository) -> Lock:
    """The lock of the last training. Raises KitError if nothing was trained yet."""
    last = load(repository)
    on_sample = last is not None and last.on == "sample"
    text = repository.text(str(SAMPLE_LOCK) if on_sample else LOCK)
    if text is None:
        raise KitError(f"{LOCK} is not there: nothing was trained yet.", "Run `mlops-kit train`.")
    return parse_lock(text)


def behind(repository: Repository, contract: Contract) -> Freshness:
    """The tree compared with the last training, whose results are here."""
    last, start = load(repository), freshness.of_tree(repository)
    revision = last.commit if last else start.revision if start else None
    return freshness.of(repository, contract, lock(repository), revision)


def outdated(repository: Repository, contract: Contract, run: str) -> list[str]:
    """Why the results here are not those of the current inputs; empty if they are, or if `run` made them."""
    last = load(repository)
    if last is None or not last.registers or last.run == run:
        return []
    return behind(repository, contract).stale


def on_sample(repository: Repository) -> str:
    """Why the last training used the sample; empty if it used the data, or if there was none."""
    last = load(repository)
    return last.why_sample if last and not last.registers else ""


# ---- on what ----


def why_sample(repository: Repository, contract: Contract) -> str:
    """Why the data cannot be trained on here; empty when it can."""
    if runner.is_fork():
        return "fork"
    if runner.event_name() == "pull_request" and contract.pull_request.train == "sample":
        return "pull request"
    if repository.remote is None and inputs.missing_data(repository):
        return "no remote"
    return ""


# ---- train ----


def train(
    repository: Repository, contract: Contract, journal: Journal, say: Say, *, sample: bool
) -> Training:
    """Raises KitError if a stage fails; lock, parameters and results are then as they were."""
    why = "asked" if sample else why_sample(repository, contract)
    if why and contract.sample is None:
        raise KitError(
            f"{why}: the data cannot be had here, and mlops.yaml names no sample.",
            "Add a DVC remote (`dvc remote add --default NAME URL`), or a `sample` to mlops.yaml.",
        )
    say(f"Training on the sample ({why})" if why else "Training on the data")
    begin = time.monotonic()
    commit = repository.commit()
    with journal.stage("train", commit=commit, on="sample" if why else "data") as facts:
        hooks.run_hooks(contract, repository, "before_train", journal, say)
        stages = (
            _on_sample(repository, contract, journal, say)
            if why
            else _on_data(repository, contract, journal, say)
        )
        facts["stages"] = stages
    seconds = round(time.monotonic() - begin, 2)
    done = Training(journal.run, commit, "sample" if why else "data", why, stages, seconds)
    save(repository, done)
    return done


def _on_data(repository: Repository, contract: Contract, journal: Journal, say: Say) -> dict[str, str]:
    version.refresh(repository, contract.model, say)
    start = starting_point(repository, contract)
    with restore_on_failure(repository, _outs(repository, start.lock if start else None)):
        if start:
            put(repository.root / LOCK, start.lock.text.encode())
        behind_start = freshness.of(repository, contract, start.lock, start.revision) if start else None
        if contract.train_with:  # which brings its inputs itself
            inputs.check_all(repository)
        else:
            inputs.bring(repository, contract.commands.dvc, behind_start, say)
        how = list(PULL) if repository.remote and _something_missing(repository) else []
        if behind_start and behind_start.environment:
            changed = ", ".join(behind_start.environment)
            say(f"Every stage runs: {changed} changed, which DVC does not look at")
            how.append("--force")
        stages = _reproduce(repository, contract, journal, say, how)
        if contract.train_with:
            inputs.check_all(repository)
        else:
            inputs.check_reused(repository, stages)
        bring_results(repository, contract, say)
    return stages


def starting_point(repository: Repository, contract: Contract) -> Baseline | None:
    """The lock that leaves less to train: the newest version's, or the one that is here."""
    newest = version.newest(repository, contract.model)
    of_version = freshness.of_version(repository, newest) if newest else None
    of_tree = freshness.of_tree(repository)
    if of_tree and of_version and of_tree.lock.text == of_version.lock.text:
        of_tree = None  # the same, and of the version it is known which environment made it
    if of_tree and not of_tree.revision and (last := load(repository)) and last.on == "data":
        of_tree = replace(of_tree, revision=last.commit)
    baselines = [baseline for baseline in (of_version, of_tree) if baseline]
    return min(baselines, key=lambda baseline: _amount_to_train(repository, contract, baseline), default=None)


def _amount_to_train(repository: Repository, contract: Contract, start: Baseline) -> tuple[bool, int]:
    result = freshness.of(repository, contract, start.lock, start.revision)
    return bool(result.environment), len(result.stages)


def _something_missing(repository: Repository) -> bool:
    lock = repository.lock()
    outs = lock.outs if lock else {}
    return bool(inputs.missing_data(repository)) or any(
        not (repository.root / path).exists() for path in outs
    )


def bring_results(repository: Repository, contract: Contract, say: Say) -> None:
    """Fetch the results that gate, report and register read, if DVC reused them without fetching them."""
    lock = repository.lock()
    paths = [contract.metrics, *contract.artifacts]
    paths += [contract.predictions.file] if contract.predictions else []
    paths += [contract.rows.test] if contract.rows else []
    outs = {out.path for path in paths if lock and (out := lock.out(path))}
    if missing := sorted(path for path in outs if not (repository.root / path).exists()):
        say(f"Bringing {', '.join(missing)}")
        transfer(repository, contract.commands.dvc, "pull", *missing)


def _on_sample(repository: Repository, contract: Contract, journal: Journal, say: Say) -> dict[str, str]:
    """Train on the sample in a copy of the workspace, and take the results over; parameters and lock stay as they are."""
    assert contract.sample
    before = repository.text(str(SAMPLE_LOCK))
    outs = _outs(repository, parse_lock(before) if before else None)
    with sample.copy_of(repository, contract.sample, outs) as copy:
        variables = sample.environment(repository, contract.commands.dvc)
        stages = _reproduce(copy, contract, journal, say, [], **variables)
        made = copy.lock()
        if made is None:
            raise KitError(f"The training on the sample left no {LOCK}.", "Does dvc.yaml have stages?")
        with restore_on_failure(repository, outs | set(made.outs)):
            sample.take_over(copy, repository, made.outs)
            files.write(repository.root / SAMPLE_LOCK, made.text)
    return stages


def _outs(repository: Repository, *locks: Lock | None) -> set[str]:
    """The output paths of these locks and of the lock in the workspace."""
    return {path for one in (*locks, repository.lock()) if one for path in one.outs}


class _Stages:
    """Turns what DVC says into a status and an event for each stage."""

    def __init__(self, journal: Journal, say: Say) -> None:
        self.journal, self.say = journal, say
        self.status: dict[str, str] = {}
        self.running, self.begin = "", 0.0

    def heard(self, line: str) -> None:
        for status, pattern in SAYS.items():
            if match := pattern.search(line):
                self.end("end")
                self.status[match[1]] = status
                self.say(f"  {match[1]}: {status if status != 'ran' else 'running'}")
                if status == "ran":
                    self.running, self.begin = match[1], time.monotonic()
                    self.journal.emit(f"stage:{match[1]}", "start")
                else:
                    self.journal.emit(f"stage:{match[1]}", status)

    def end(self, status: str) -> None:
        if self.running:
            seconds = round(time.monotonic() - self.begin, 3)
            self.journal.emit(f"stage:{self.running}", status, seconds=seconds)
            self.running = ""


def _reproduce(
    repository: Repository, contract: Contract, journal: Journal, say: Say, how: list[str], **more: str
) -> dict[str, str]:
    if contract.train_with:
        return train_with.run(repository, contract.train_with, journal, say, force="--force" in how)
    stages = _Stages(journal, say)
    try:
        with dvc_config.verified_downloads(repository) as variables:
            command = [*words(contract.commands.dvc), "repro", *how]
            variables = {**more, **variables}
            follow_within(command, repository.root, stages.heard, stall=STALL, exempt=STAGE, more=variables)
    except TimedOut as error:  # no stage ran: the last one had come to its end
        stages.end("end")
        raise KitError(
            f"DVC did nothing for {STALL:g} s while no stage ran: {named(repository)}, or another server that "
            "dvc.yaml names, is silent.",
            f"{DO} Lock, parameters and results are as they were before.",
        ) from error
    except ProcessError as error:
        failed = stages.running
        stages.end("failed")
        raise KitError(
            f"The training failed{f' in stage {failed!r}' if failed else ''}:\n{error.last_words(25)}",
            "Lock, parameters and results are as they were before.",
        ) from error
    stages.end("end")
    return stages.status
