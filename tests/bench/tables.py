"""The tables: who runs against whom, and how far we want to reach."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench import history
from tests.bench import rows as rows_module
from tests.bench.measure import Command, Job, Spent, in_turns, output, ratio, seconds, spend, spend_all
from tests.bench.peers import Peers

US = "mlops-new"
BARE = """import sys
from pyarrow import csv, parquet
table = csv.read_csv(sys.argv[1])
parquet.write_table(table, sys.argv[2])
print(table.nbytes)
"""
# A model and a slightly better one, on rows made in the process; the first word is the number of rows.
DUEL = """import sys
import numpy as np
from mlops_kit.comparison import Rows, compare
draw, n = np.random.default_rng(0), int(sys.argv[1])
actual = (draw.random(n) < 0.2).astype(float)
raw = actual + draw.normal(size=n)
both = [1 / (1 + np.exp(-score)) for score in (raw, raw + 0.05 * actual + 0.3 * draw.normal(size=n))]
champion, challenger = (Rows(actual, (share > 0.5).astype(float), share) for share in both)
if sys.argv[2] != "none":
    print(compare(sys.argv[2], champion, challenger))
"""
# What each stage needs and no work: train finds its estimator's module at run time.
IMPORTS = {
    "prepare": "import pipeline.prepare",
    "train": "import pipeline.train, sklearn.ensemble",
    "evaluate": "import pipeline.evaluate, sklearn.ensemble",
}


@dataclass(frozen=True)
class Reach:
    """A figure that is to stay under its limit."""

    what: str
    value: float
    limit: float
    unit: str = "s"

    @property
    def reached(self) -> bool:
        return self.value <= self.limit


@dataclass
class Table:
    name: str
    spent: Mapping[str, list[Spent]]  # ours first
    reaches: list[Reach] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # beside the seconds: memory, what was not run


def create(peers: Peers, runs: int) -> Table:
    """A new repository: ours is committed and its data tracked, theirs are files, for comparison."""
    ours = peers.ours()
    jobs: dict[str, Job] = {US: once([ours, "bench"])}
    theirs = {"kedro": peers.kedro_new(), "ccds": peers.ccds(), "copier": peers.copier_copy()}
    for name, command in theirs.items():
        if command:
            jobs[name] = once(command)
    spent = in_turns(runs, jobs, peers.work)
    reaches = [Reach("median", seconds(spent[US]), 0.6)]
    return Table("create", spent, reaches, _absent(peers, "ccds", "copier"))


def train(peers: Peers, runs: int) -> Table:
    """Empty folder to evaluated model with a warm package cache and an environment of its own."""
    ours = peers.ours()
    project = generated(peers, "flights")
    jobs: dict[str, Job] = {US: once([ours, "bench", "--train"])}
    if commands := peers.kedro_trained():
        jobs["kedro"] = lambda folder: spend_all(commands, folder)
    jobs["floor"] = lambda folder: _floor(project, folder)
    spent = in_turns(runs, jobs, peers.work)
    reaches = _under(spent, *(name for name in jobs if name != "floor"))
    return Table("train", spent, reaches, _absent(peers, "kedro"))


def help_(peers: Peers, runs: int) -> Table:
    ours = peers.ours()
    python = ours.with_name("python")
    jobs: dict[str, Job] = {
        US: once([ours, "--help"]),
        "python -c 'import click'": once([python, "-c", "import click"]),
    }
    spent = in_turns(runs, jobs, peers.work)
    return Table("help", spent, [Reach("median", seconds(spent[US]), 0.1)])


def own_data(peers: Peers, runs: int) -> Table:
    """100,000 rows x 12 columns of a person's own, until the model is evaluated."""
    ours = peers.ours()
    data = _csv(peers, 100_000, 12)
    command: Command = [ours, "bench", "--data", data, "--target", "churned", "--train"]
    spent = in_turns(runs, {US: once(command)}, peers.work)
    return Table("own-data", spent, [Reach("median", seconds(spent[US]), 20.0)])


def prepare(peers: Peers, runs: int) -> Table:
    """The stage as generated for 1,000,000 rows x 20 columns, as a whole process."""
    data = _csv(peers, 1_000_000, 20)
    project = generated(peers, "wide", "--data", data, "--target", "churned")
    python = project / ".venv/bin/python"
    bare: Command = [python, "-c", BARE, data, peers.work / "bare.parquet"]
    jobs: dict[str, Job] = {
        US: lambda _: spend([python, "-m", "pipeline.prepare"], project),
        "pyarrow": lambda _: spend(bare, project),
    }
    spent = in_turns(runs, jobs, peers.work)
    table = int(output(bare, project))
    peak = max(one.peak for one in spent[US])
    times = ratio(spent[US], spent["pyarrow"])
    reaches = [
        Reach("times the bare pyarrow read and write", times, 3.0, "x"),
        Reach("peak memory, times the table", peak / table, 4.0, "x"),
    ]
    notes = [f"table in memory {table / 1e6:.0f} MB", _memory(spent)]
    return Table("prepare", spent, reaches, notes)


def noop(peers: Peers, runs: int) -> Table:
    """A second `dvc repro`, against three stages that have one file each."""
    project = generated(peers, "flights")
    dvc = project / ".venv/bin/dvc"
    spend([dvc, "repro"], project)
    bare = peers.work / "bare"
    if not bare.is_dir():
        bare.mkdir()
        stages = {f"step{n}": f"python -c \"open('out{n}', 'w').write('{n}')\"" for n in range(3)}
        _dvc_repository(bare, {name: (cmd, f"out{name[-1]}") for name, cmd in stages.items()}, dvc)
        spend([dvc, "repro"], bare)
    jobs: dict[str, Job] = {
        US: lambda _: spend([dvc, "repro"], project),
        "bare DVC": lambda _: spend([dvc, "repro"], bare),
    }
    spent = in_turns(runs, jobs, peers.work)
    times = ratio(spent[US], spent["bare DVC"])
    return Table("noop", spent, [Reach("times the bare no-op", times, 1.2, "x")])


def bootstrap(peers: Peers, runs: int) -> Table:
    """The paired bootstrap of 1,000,000 rows, without what making the rows takes."""

    python = peers.kit().with_name("python")

    def job(rows: int, metric: str) -> Job:
        return once([python, "-c", DUEL, str(rows), metric])

    jobs = {
        "roc_auc, 1,000,000 rows": job(1_000_000, "roc_auc"),
        "log_loss, 1,000,000 rows": job(1_000_000, "log_loss"),
        "r2, 1,000,000 rows": job(1_000_000, "r2"),
        "roc_auc, 20,000 rows": job(20_000, "roc_auc"),
        "the rows alone": job(1_000_000, "none"),
    }
    spent = in_turns(runs, jobs, peers.work)
    alone = spent["the rows alone"]
    took = {name: seconds(one) - seconds(alone) for name, one in spent.items() if "1,000,000" in name}
    reaches = [Reach(f"{name}: median", each, 5.0) for name, each in took.items()]
    whole = max(one.peak for name in took for one in spent[name])
    more = whole - max(one.peak for one in alone)
    reaches.append(Reach("memory beyond the rows", more / 1e6, 100.0, "MB"))
    return Table("bootstrap", spent, reaches, [_memory(spent)])


def runs_(peers: Peers, runs: int) -> Table:
    """A question to 10,000 runs, as a whole process: in a clone that asked before, and in a new one."""
    kit, origin, clone = peers.kit(), peers.work / "runs.git", peers.work / "runs"
    if not origin.is_dir():
        history.write(origin, 10_000)
        spend(["git", "clone", "--quiet", "--single-branch", origin.as_uri(), clone], peers.work)
    ask: Command = [kit, "runs", "--status", "failed", "--limit", "0"]

    def anew(folder: Path) -> Spent:
        spend(["git", "clone", "--quiet", "--single-branch", origin.as_uri(), folder], peers.work)
        return spend(ask, folder)

    found = output(ask, clone).splitlines()
    spent = in_turns(
        runs,
        {
            "mlops-kit runs": lambda _: spend(ask, clone),
            "in a new clone": anew,
            "--help": once([kit, "--help"]),
        },
        peers.work,
    )
    reaches = [Reach(f"{name}: median", seconds(spent[name]), 2.0) for name in list(spent)[:2]]
    return Table("runs", spent, reaches, [f"{len(found)} of 10,000 runs failed, and were found"])


def once(command: Command) -> Job:
    return lambda folder: spend(command, folder)


def _under(spent: Mapping[str, list[Spent]], *names: str) -> list[Reach]:
    theirs = [name for name in names if name != US]
    return [Reach(f"times {name}", ratio(spent[US], spent[name]), 1.0, "x") for name in theirs]


def _absent(peers: Peers, *names: str) -> list[str]:
    return [f"{name} was not run: {peers.absent[name]}" for name in names if name in peers.absent]


def _memory(spent: Mapping[str, list[Spent]]) -> str:
    peaks = {name: max(one.peak for one in runs) / 1e6 for name, runs in spent.items()}
    return "peak memory " + ", ".join(f"{name} {peak:.0f} MB" for name, peak in peaks.items())


def _csv(peers: Peers, count: int, columns: int) -> Path:
    path = peers.work / f"rows-{count}x{columns}.csv"
    if not path.is_file():
        rows_module.write(path, count, columns)
    return path


def generated(peers: Peers, name: str, *options: str | Path) -> Path:
    """A generated repository with its environment, made once."""
    project = peers.work / name
    if not project.is_dir():
        train = [] if options else ["--train"]
        spend([peers.ours(), name, *options, *train], peers.work)
        if options:
            spend(["uv", "sync", "--quiet", "--frozen"], project)
    return project


def _floor(project: Path, folder: Path) -> Spent:
    """The same environment, and three stages that only import their libraries, under DVC."""
    for name in ("pyproject.toml", "uv.lock"):
        shutil.copy(project / name, folder)
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(project / "pipeline", folder / "pipeline", ignore=ignore)
    spent = spend(["uv", "sync", "--quiet", "--frozen"], folder)
    stages = {name: (f'python -c "{imports}"', "") for name, imports in IMPORTS.items()}
    dvc = folder / ".venv/bin/dvc"
    _dvc_repository(folder, stages, dvc)
    return spent + spend(["uv", "run", "--frozen", "dvc", "repro"], folder)


def _dvc_repository(folder: Path, stages: Mapping[str, tuple[str, str]], dvc: Path) -> None:
    """Stages of a command and an output; what `dvc init` would write, without starting DVC."""
    lines = ["stages:"]
    for name, (command, out) in stages.items():
        lines += [f"  {name}:", f"    cmd: {command}"] + ([f"    outs: [{out}]"] if out else [])
    (folder / "dvc.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    spend(["git", "init", "--quiet"], folder)
    (folder / ".dvc").mkdir()
    (folder / ".dvc" / "config").touch()
    (folder / ".dvc" / ".gitignore").write_text("/cache\n/tmp\n", encoding="utf-8")


TABLES: dict[str, tuple[Callable[[Peers, int], Table], int]] = {  # and how many runs say enough
    "create": (create, 10),
    "train": (train, 3),
    "help": (help_, 20),
    "own-data": (own_data, 3),
    "prepare": (prepare, 5),
    "noop": (noop, 7),
    "bootstrap": (bootstrap, 5),
    "runs": (runs_, 5),
}
