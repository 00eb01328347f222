"""A version made again from nothing but its tag and its data, and compared with what it was."""

import math
import os
import platform
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlops_kit.base import clock, temporary
from mlops_kit.base.errors import KitError
from mlops_kit.base.processes import STAGE, ProcessError, follow_within, run_within, words
from mlops_kit.base.progress import Say
from mlops_kit.data import metrics_file
from mlops_kit.project import dvc_config, snapshot
from mlops_kit.project.contract import Contract
from mlops_kit.project.lock import Entry, Lock, PipelineStage, file_md5
from mlops_kit.project.repository import Repository
from mlops_kit.project.snapshot import Snapshot
from mlops_kit.project.transfer import STALL
from mlops_kit.registry import file_differences, verifications
from mlops_kit.registry.verifications import WORST, Proof, Result, StageProof
from mlops_kit.runs import events
from mlops_kit.versions.version import Version

SERVE = "serve"  # no stage of the pipeline: its answers over HTTP
Served = Callable[[Repository], str]


def verify(
    repository: Repository, contract: Contract, version: Version, say: Say, served: Served | None = None
) -> Proof:
    """Raises KitError when it cannot be made again at all: its data is gone, or a stage fails.

    `served` says how the answers of a server with the version in this tree differ from its predictions.
    """
    begin, journal = time.monotonic(), events.alone(repository)
    with journal.stage(verifications.STAGE, version=version.name) as facts:
        proofs = _proofs(repository, contract, version, say, served)
        result = next(one for one in WORST if one in {"same", *(stage.result for stage in proofs)})
        proof = Proof(version.name, version.commit, result, _says(version, proofs), proofs, _machine())
        facts |= verifications.facts(proof)
    return replace(proof, run=journal.run, seconds=round(time.monotonic() - begin, 1), at=clock.timestamp())


def _proofs(
    repository: Repository, contract: Contract, version: Version, say: Say, served: Served | None
) -> list[StageProof]:
    """The stages whose outputs are not what they were."""
    with temporary.folder() as name:
        was = snapshot.take(repository, version.tag, name / "was", contract.commands.dvc)
        if was.lock is None:
            raise KitError(
                f"{version.tag} holds no dvc.lock: nothing says what it was made of.",
                "Verify one that `mlops-kit register` made; `mlops-kit versions` lists them.",
            )
        was.folder.mkdir()
        with _clean(repository, was, name, say) as tree:
            _bring_data(was, tree, say)
            _reproduce(was, tree, say)
            say("compare")
            proofs = _compare(was, was.lock, tree)
            if served and (difference := served(tree)):
                proofs.append(StageProof(SERVE, "differs", [difference]))
            return proofs


def _machine() -> dict[str, Any]:
    return {"platform": f"{platform.system()} {platform.machine()}", "processors": os.cpu_count()}


# ---- a clean clone ----


@contextmanager
def _clean(repository: Repository, was: Snapshot, folder: Path, say: Say) -> Iterator[Repository]:
    """The version's files and environment, with a cache of its own: nothing that was made here before is used."""
    say(f"check {was.revision} out")
    with repository.worktree(was.revision) as tree:
        dvc_config.give_settings(repository, tree, folder / "cache")
        # A tag holds the metrics that the stages make, and DVC takes no output that Git has.
        if outputs := sorted({*(was.lock.outs if was.lock else [])} & tree.tracked()):
            tree.git("rm", "--quiet", "--cached", "--", *outputs)
        if was.contract.commands.install:
            say("make its environment")
            run_within(words(was.contract.commands.install), tree.root, stall=STALL)
        yield tree


def _bring_data(was: Snapshot, tree: Repository, say: Say) -> None:
    """Bring the inputs that Git does not hold, from cache or remote. Raises KitError if one was altered."""
    assert was.lock
    tracked = tree.tracked()
    for path, entry in was.lock.inputs.items():
        if not _in_git(path, tracked):
            say(f"bring {path}")
            to = tree.root / path
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(was.file(path), to)
            if file_md5(to) != entry.md5:
                raise KitError(
                    f"{path} of {was.revision} was altered: it has md5 {file_md5(to)}, not {entry.md5}.",
                    "Who has the data of then pushes it again.",
                )


def _in_git(path: str, tracked: set[str]) -> bool:
    return path in tracked or any(one.startswith(f"{path}/") for one in tracked)


def _reproduce(was: Snapshot, tree: Repository, say: Say) -> None:
    """Every stage, by force, in the version's own environment."""

    def heard(line: str) -> None:
        if match := re.search(r"Running stage '([^']+)'", line):
            say(f"  {match[1]}")

    say("run every stage")
    try:
        command = [*words(was.contract.commands.dvc), "repro", "--force"]
        follow_within(command, tree.root, heard, stall=STALL, exempt=STAGE)
    except ProcessError as error:
        raise KitError(
            f"{was.revision} cannot be made again:\n{error.last_words(25)}",
            "It needs something that neither Git, the lock nor its environment names.",
        ) from error


# ---- compare ----


def _compare(was: Snapshot, lock: Lock, tree: Repository) -> list[StageProof]:
    """Each stage whose outputs are not what they were, in the order of the pipeline."""
    now = tree.lock()
    assert now
    changed = {
        name: [out for path, out in stage.outs.items() if _md5(now, path) != out.md5]
        for name, stage in lock.stages.items()
    }
    judged = was.contract.predictions.file if was.contract.predictions else was.contract.metrics
    fails = _judge(was, lock, tree, judged)
    behind = _behind(lock, judged)
    judged_difference = _judged_difference(was, lock, tree, judged, fails)
    proofs = []
    for name, outs in changed.items():
        if outs:
            how = [f"{out.path}: {_how(was, tree, out)}" for out in outs]
            how += [fails] if fails and judged in lock.stages[name].outs else []
            because = _because(lock, now, lock.stages[name])
            if (
                judged_difference
                and name in behind
                and not because
                and not any(map(file_differences.names_a_kind, how))
            ):
                how.append(judged_difference)
            result: Result = "differs" if fails and name in behind else "warning"
            proofs.append(StageProof(name, result, how, because))
    return proofs


def _md5(lock: Lock, path: str) -> str:
    out = lock.outs.get(path)
    return out.md5 if out else ""


def _how(was: Snapshot, tree: Repository, out: Entry) -> str:
    if not (tree.root / out.path).exists():
        return "is not made any more"
    try:
        return (
            file_differences.how(_version_file(was, out.path), tree.root / out.path)
            or "the same bytes under another name"
        )
    except KitError as error:
        return f"other bytes; the old ones are gone ({error.what.splitlines()[0]})"


def _version_file(was: Snapshot, path: str) -> Path:
    """The version's own file: from Git if it is tracked there, else from DVC."""
    text = was.repository.show(was.revision, path) if path in was.repository.tracked(was.revision) else None
    if text is None:
        return was.file(path)
    to = was.folder / path
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text(text, encoding="utf-8", newline="\n")
    return to


def _judge(was: Snapshot, lock: Lock, tree: Repository, judged: str) -> str:
    """How the predictions differ, or, where none are named, the figures; empty where they agree."""
    out = lock.out(judged)
    now = tree.lock()
    if out is None or (now and _md5(now, out.path) == out.md5):
        return ""
    form = was.contract.predictions
    if form:
        return file_differences.predictions_apart(_version_file(was, judged), tree.root / judged, form)
    before, after = (
        metrics_file.all_metrics(metrics_file.read_metrics(path))
        for path in (_version_file(was, judged), tree.root / judged)
    )
    moved = [
        name for name in before if name not in after or not _agree(before[name].value, after[name].value)
    ]
    return f"the figures differ: {', '.join(moved[:5])}" if moved else ""


def _judged_difference(was: Snapshot, lock: Lock, tree: Repository, judged: str, fails: str) -> str:
    """How the judged file differs, with the likely cause: the bytes of a binary model show no cause."""
    out = lock.out(judged)
    now = tree.lock()
    if out is None or now is None or _md5(now, out.path) == out.md5:
        return ""
    difference = _how(was, tree, out)
    kind = f": {file_differences.SEED}" if fails and not file_differences.names_a_kind(difference) else ""
    return f"seen in {out.path}: {difference}{kind}"


def _agree(old: float, new: float) -> bool:
    return math.isclose(old, new, rel_tol=file_differences.CLOSE)


def _behind(lock: Lock, path: str) -> set[str]:
    """The stages that a result comes from."""
    makers = {out: name for name, stage in lock.stages.items() for out in stage.outs}
    stages: set[str] = set()
    paths = [path]
    while paths:
        current = paths.pop()
        name = next(
            (maker for out, maker in makers.items() if current == out or current.startswith(f"{out}/")), None
        )
        if name and name not in stages:
            stages.add(name)
            paths += lock.stages[name].deps
    return stages


def _because(lock: Lock, now: Lock, stage: PipelineStage) -> list[str]:
    """The stages before it that gave it something else to read: it may be right itself."""
    after = now.stages[stage.name].deps if stage.name in now.stages else {}
    changed = [path for path, dep in stage.deps.items() if path in after and after[path].md5 != dep.md5]
    return sorted({name for path in changed for name, one in lock.stages.items() if path in one.outs})


def _says(version: Version, proofs: list[StageProof]) -> str:
    if not proofs:
        return f"{version.name} is reproduced, byte for byte."
    by_themselves = [one for one in proofs if not one.because] or proofs
    named = ", ".join(f"{one.stage} ({'; '.join(one.how)})" for one in by_themselves)
    if any(one.result == "differs" for one in proofs):
        return f"{version.name} is not reproducible. What differs by itself: stage {named}."
    return f"{version.name} is reproduced in its predictions, not in its bytes: stage {named}."
