"""What it takes to add a tier and to move to the next version, beside Copier's own update."""

import shutil
from pathlib import Path

from tests.bench.measure import Command, Job, Spent, in_turns, output, seconds, spend
from tests.bench.peers import Peers
from tests.bench.tables import Reach, Table
from tests.growth import stand_ins

TIER = "serving=seldon"


def add(peers: Peers, runs: int) -> Table:
    """A tier to an edited project."""
    bench = Bench(peers)
    jobs = {
        "mlops-new add": bench.job([bench.ours, "add", TIER]),
        "copier update": bench.job([*bench.copier, "--vcs-ref=:current:", "-d", TIER]),
    }
    return _table("add", jobs, peers, runs, 1.5)


def update(peers: Peers, runs: int) -> Table:
    """To the next version, where six files of the template changed."""
    bench = Bench(peers)
    jobs = {
        "mlops-new update": bench.job([bench.ours, "update"]),
        "copier update": bench.job(bench.copier),
    }
    return _table("update", jobs, peers, runs, 2.5)


def update_noop(peers: Peers, runs: int) -> Table:
    """Where there is nothing newer."""
    bench = Bench(peers)
    spend([bench.ours, "update"], bench.project)
    spend(["git", "add", "--all"], bench.project)
    spend(["git", "commit", "--quiet", "--no-verify", "--message=Update"], bench.project)
    jobs = {
        "mlops-new update": bench.job([bench.ours, "update"]),
        "copier update": bench.job(bench.copier),
    }
    table = _table("update-noop", jobs, peers, runs, 1.5)
    spend(["git", "reset", "--quiet", "--hard", "HEAD~1"], bench.project)
    return table


def tiers(peers: Peers, runs: int) -> Table:
    bench = Bench(peers)
    jobs = {
        "mlops-new tiers": bench.job([bench.ours, "tiers"]),
        "--help": bench.job([bench.ours, "--help"]),
    }
    spent = in_turns(runs, jobs, peers.work)
    return Table("tiers", spent, [Reach(f"{name}: median", seconds(spent[name]), 0.15) for name in jobs])


def _table(name: str, jobs: dict[str, Job], peers: Peers, runs: int, limit: float) -> Table:
    spent = in_turns(runs, jobs, peers.work)
    return Table(name, spent, [Reach("median", seconds(next(iter(spent.values()))), limit)])


class Bench:
    """A project of one version, edited; and the command of the next, with every tier."""

    def __init__(self, peers: Peers) -> None:
        work = peers.work / "growing"
        if not work.is_dir():
            work.mkdir(parents=True)
            source = stand_ins.source(work / "source")
            first = _command(work, source, "first")
            stand_ins.release_and_change(source)
            _command(work, source, "next")
            spend([first, "flights"], work)
            with (work / "flights/pipeline/train.py").open("a") as stream:
                stream.write("# ours\n")
            spend(["git", "commit", "--quiet", "--all", "--no-verify", "--message=Ours"], work / "flights")
        self.project = work / "flights"
        self.ours = work / "next/bin/mlops-new"
        where = "import mlops_new.template.releases as r; print(r.PACKAGED.as_posix())"
        bundle = output([work / "next/bin/python", "-c", where], work).strip()
        address = (self.project / ".copier-answers.yml").read_text().split("_src_path: gh:")[1].split()[0]
        self.copier: Command = [
            "env",
            f"COPIER_CACHE_DIR={work / 'cache'}",
            "GIT_CONFIG_COUNT=1",
            f"GIT_CONFIG_KEY_0=url.{bundle}.insteadOf",
            f"GIT_CONFIG_VALUE_0=https://github.com/{address}.git",
            work / "next/bin/copier",
            "update",
            "--defaults",
            "--quiet",
        ]

    def job(self, command: Command) -> Job:
        def run(folder: Path) -> Spent:
            project = folder / "flights"
            shutil.copytree(self.project, project, symlinks=True)
            return spend(command, project)

        return run


def _command(work: Path, source: Path, name: str) -> Path:
    """`mlops-new` of this source tree, installed from its wheel."""
    spend(["uv", "build", "--quiet", "--wheel", "-o", work / f"dist-{name}", source], work)
    wheel = next((work / f"dist-{name}").glob("*.whl"))
    spend(["uv", "venv", "--quiet", work / name], work)
    spend(["uv", "pip", "install", "--quiet", "--python", work / name, wheel], work)
    return work / name / "bin/mlops-new"


TABLES = {
    "add": (add, 5),
    "update": (update, 5),
    "update-noop": (update_noop, 5),
    "tiers": (tiers, 10),
}
