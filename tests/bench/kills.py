"""`kill -9` at random moments of each command that writes, and two of each at once: what is lost, and what is left."""

import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.bench import growth
from tests.bench.measure import environment
from tests.bench.peers import Peers
from tests.bench.tables import Reach, Table, generated
from tests.kit import tips

Words = Sequence[object]
WATCH = "new_data: {watch: [{pointer: bills.csv.dvc, folder: ../landing, settle_seconds: 0}]}\n"
SCRIPT = "import json, sys\nrows = open('rows.csv').read().split()\njson.dump({'n': len(rows)}, open('metrics.json', 'w'))\n"
LEFT = (".mlops/undo", ".mlops/sample", ".mlops/incoming", ".mlops/lock.json", ".git/mlops-new.pid")
ALONE = ("at work in", "is at work")  # what the second of two is told


@dataclass(frozen=True)
class Attacked:
    """A command, the folder that it is run in, and the commands that must work afterwards."""

    command: Words
    seed: Path  # holds the repository `work` and what it needs beside it
    then: tuple[Words, ...]


def kills(peers: Peers, runs: int) -> Table:
    """`runs` kills of each command, spread over the time that it takes. `then` must end with 0 and leave nothing."""
    draw = random.Random(1)
    reaches, notes = [], []
    for name, attacked in _attacks(peers).items():
        whole = _timed(attacked, peers.work)
        faults = [
            fault for _ in range(runs) if (fault := _killed(attacked, peers.work, draw.uniform(0, whole)))
        ]
        notes += [f"{name} ({whole:.1f} s): {fault}" for fault in faults]
        reaches.append(Reach(f"{name}: faults after {runs} kills", len(faults), 0, ""))
    return Table("kills", {}, reaches, notes)


def two_at_once(peers: Peers, runs: int) -> Table:
    """Two of each command in one folder, and in two clones: one does it, the other does nothing or is told why.

    Afterwards the folders, and what both share, are as after one.
    """
    reaches, notes = [], []
    for name, attacked in _attacks(peers).items():
        for where in ("one folder", "two clones"):
            faults = [fault for _ in range(runs) if (fault := _raced(attacked, peers.work, where))]
            notes += [f"{name}, {where}: {fault}" for fault in faults]
            reaches.append(Reach(f"{name}, {where}: faults in {runs} races", len(faults), 0, ""))
    return Table("two-at-once", {}, reaches, notes)


def _attacks(peers: Peers) -> dict[str, Attacked]:
    kit, ours = peers.kit(), peers.ours()
    dvc = generated(peers, "flights") / ".venv/bin/dvc"
    seeds = peers.work / "attacked"
    if not seeds.is_dir():
        _make_seeds(seeds, kit, ours, dvc)
    train, gate, register = [kit, "train"], [kit, "gate"], [kit, "register"]
    promote = [kit, "promote", "v0.1.0", "--why", "bench"]
    watch, add = [kit, "watch-data"], [ours, "add", "serving=seldon"]
    adopt = [ours, "adopt", "--no-run", "--entry", "train.py"]
    grown = growth.Bench(peers)
    if not (older := seeds / "older").is_dir():
        shutil.copytree(grown.project, older / "work", symlinks=True)
    update = [grown.ours, "update"]
    return {
        "train": Attacked(train, seeds / "changed", (train, gate, register)),
        "train --sample": Attacked([*train, "--sample"], seeds / "changed", (train, gate, register)),
        "register": Attacked(register, seeds / "gated", (register,)),
        "promote": Attacked(promote, seeds / "registered", (promote,)),
        "watch-data": Attacked(watch, seeds / "landed", (watch, train)),
        "add": Attacked(add, seeds / "new", (add,)),
        "update": Attacked(update, older, (update,)),
        "adopt": Attacked(adopt, seeds / "script", (adopt,)),
    }


def _make_seeds(seeds: Path, kit: Path, ours: Path, dvc: Path) -> None:
    seeds.mkdir()
    first = seeds / "gated"
    first.mkdir()
    tips.start(first / "work", str(dvc))
    _must(["git", "branch", "-M", "main"], first / "work")
    (first / "work/mlops.yaml").open("a").write(WATCH)
    tips.publish(first / "work", str(dvc))
    for words in ("train", "gate"):
        _must([kit, words], first / "work")
    _copy(first, seeds / "registered")
    _must([kit, "register"], seeds / "registered/work")
    _copy(seeds / "registered", seeds / "changed")
    params = seeds / "changed" / "work" / "params.yaml"
    params.write_text(params.read_text().replace("digits: 3", "digits: 2"))
    _must(["git", "commit", "--quiet", "--all", "--message=Change"], seeds / "changed/work")
    _copy(seeds / "registered", seeds / "landed")
    (seeds / "landed/landing").mkdir()
    (seeds / "landed/landing/new.csv").write_text(tips.bills(500))
    (seeds / "new").mkdir()
    _must([ours, "work", "--defaults"], seeds / "new")
    script = seeds / "script/work"
    script.mkdir(parents=True)
    (script / "train.py").write_text(SCRIPT)
    (script / "rows.csv").write_text("a\n1\n")
    for options in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message=Start"]):
        _must(["git", *options], script)


def _timed(attacked: Attacked, work: Path) -> float:
    with tempfile.TemporaryDirectory(dir=work) as name:
        folder = _copy(attacked.seed, Path(name) / "one")
        begin = time.monotonic()
        _must(attacked.command, folder / "work")
        return time.monotonic() - begin


def _killed(attacked: Attacked, work: Path, after: float) -> str:
    """What is wrong after a kill; empty if nothing is."""
    with tempfile.TemporaryDirectory(dir=work) as name:
        folder = _copy(attacked.seed, Path(name) / "one")
        process = _start(attacked.command, folder / "work")
        with suppress(subprocess.TimeoutExpired):
            process.wait(after)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return _fault(attacked, folder / "work", f"killed after {after:.2f} s")


def _raced(attacked: Attacked, work: Path, where: str) -> str:
    with tempfile.TemporaryDirectory(dir=work) as name:
        folder = _copy(attacked.seed, Path(name) / "one")
        places = [folder / "work", folder / "work"]
        if where == "two clones":
            places[1] = _copy(folder / "work", folder / "other")
        both = [_start(attacked.command, place) for place in places]
        said = [process.communicate()[0] for process in both]
        lost = [text for process, text in zip(both, said, strict=True) if process.returncode]
        if len(lost) > 1 or any(not any(word in text for word in ALONE) for text in lost):
            return " | ".join(text.strip()[-300:] for text in lost)
        faults = (_fault(attacked, place, f"after two at once in {where}") for place in dict.fromkeys(places))
        return next(filter(None, (*faults, _twice(folder))), "")


def _twice(folder: Path) -> str:
    """What the shared origin holds two of: no command here makes more than one version or one promotion."""
    if not (folder / "origin.git").is_dir():
        return ""
    tags = _must(["git", "tag"], folder / "origin.git").splitlines()
    versions = [tag for tag in tags if "@" in tag]
    return f"two of one thing in the origin: {', '.join(tags)}" if len(versions) > 1 or len(tags) > 2 else ""


def _fault(attacked: Attacked, folder: Path, when: str) -> str:
    for words in attacked.then:
        process = _start(words, folder)
        said = process.communicate()[0]
        # the killed command had done it, and its changes wait for a person's commit
        done = words[1] in ("add", "adopt") and ("already" in said or "not committed" in said)
        if process.returncode and not done:
            return f"{when}, `{' '.join(map(str, words[1:]))}` ends with {process.returncode}: {said.strip()[-300:]}"
    left = [path for path in LEFT if (folder / path).exists()]
    left += _must(["git", "worktree", "list"], folder).splitlines()[1:]
    left += _must(["git", "for-each-ref", "refs/tags/mlops-kit-gc"], folder).splitlines()
    return f"{when}, left: {', '.join(left)}" if left else ""


def _start(words: Words, cwd: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        list(map(str, words)),
        cwd=cwd,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def _must(words: Words, cwd: Path) -> str:
    return subprocess.run(
        list(map(str, words)), cwd=cwd, env=environment(), text=True, capture_output=True, check=True
    ).stdout


def _copy(seed: Path, to: Path) -> Path:
    return Path(shutil.copytree(seed, to, symlinks=True))


TABLES: dict[str, tuple[Callable[[Peers, int], Table], int]] = {
    "kills": (kills, 20),
    "two-at-once": (two_at_once, 10),
}
