"""What the kit adds to a merge: beside DVC typed by hand, with a thousand versions, and to be installed."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests import uv_with_cache
from tests.bench.measure import Job, Spent, environment, in_turns, ratio, seconds, spend
from tests.bench.peers import ROOT, Peers
from tests.bench.tables import Reach, Table, generated, once

VERSIONS = 1_000


def train(peers: Peers, runs: int) -> Table:
    """Nothing to train: the kit, and the DVC command that it runs."""
    project, kit = generated(peers, "flights"), peers.kit()
    jobs: dict[str, Job] = {
        "mlops-kit train": lambda _: spend([kit, "train"], project),
        "dvc repro": lambda _: spend(["uv", "run", "--frozen", "dvc", "repro"], project),
    }
    spent = in_turns(runs, jobs, peers.work)
    times = ratio(spent["mlops-kit train"], spent["dvc repro"])
    return Table("kit-train", spent, [Reach("times DVC by hand", times, 1.5, "x")])


def register(peers: Peers, runs: int) -> Table:
    """A new version where there are a thousand, pushed to an origin beside it."""
    seed, kit = peers.work / "versions", peers.kit()
    if not seed.is_dir():
        _history(seed, generated(peers, "flights"), kit)

    def job(folder: Path) -> Spent:
        shutil.copytree(seed, folder, symlinks=True, dirs_exist_ok=True)
        return spend([kit, "register"], folder / "flights")

    spent = in_turns(runs, {"mlops-kit register": job}, peers.work)
    return Table("register", spent, [Reach("median", seconds(spent["mlops-kit register"]), 2.0)])


def install(peers: Peers, runs: int) -> Table:
    """The environment of a new job, and the first command, with packages from this machine's cache.

    A real job downloads them; that would measure the network.
    """
    spent = in_turns(
        runs, {"actions/mlops-kit --version": launched, "--help": once([peers.kit(), "--help"])}, peers.work
    )
    reach = Reach("median", seconds(spent["actions/mlops-kit --version"]), 2.0)
    size = sum(path.stat().st_size for path in peers.kit().parents[1].rglob("*") if path.is_file())
    return Table("kit-install", spent, [reach], [f"{size / 1e6:.0f} MB installed"])


def launched(folder: Path) -> Spent:
    """The launcher's first call in a job whose folder this is."""
    path = f"PATH={uv_with_cache.put(folder)}"
    return spend(
        ["env", path, f"RUNNER_TEMP={folder}", "sh", ROOT / "actions/mlops-kit", "--version"], folder
    )


def _history(seed: Path, project: Path, kit: Path) -> None:
    """Published, with versions that are other results."""
    work = published(seed, project, kit)
    commit = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=work, text=True).strip()
    text = "".join(_tag(number, commit) for number in range(1, VERSIONS + 1))
    command = ["git", "fast-import", "--quiet"]
    subprocess.run(command, cwd=work, env=environment(), input=text.encode(), check=True)
    spend(["git", "push", "--quiet", "origin", "main", "--tags"], work)


def published(seed: Path, project: Path, kit: Path) -> Path:
    """The project in a new folder with gates open, an origin, and a DVC remote that is a folder beside it."""
    seed.mkdir()
    shutil.copytree(project, seed / "flights", symlinks=True, ignore=shutil.ignore_patterns(".venv"))
    (seed / "flights/.venv").symlink_to(project / ".venv")
    work = seed / "flights"
    spend(["git", "init", "--quiet", "--bare", "--initial-branch=main", "../origin.git"], work)
    dvc = ["uv", "run", "--frozen", "dvc"]
    spend([*dvc, "remote", "add", "--quiet", "--default", "storage", "../storage"], work)
    spend(["git", "commit", "--quiet", "--no-verify", "--all", "--message=Add a remote"], work)
    spend(["git", "remote", "add", "origin", "../origin.git"], work)
    spend([*dvc, "push", "--quiet"], work)
    spend([kit, "gate"], work)
    spend(["git", "push", "--quiet", "origin", "main"], work)
    return work


def _tag(number: int, commit: str) -> str:
    message = f"flights v0.{number}.0\n\nRun: {number}\nIdentity: {number:064x} {number:032x}\n"
    head = f"tag flights@v0.{number}.0\nfrom {commit}\ntagger bench <bench@localhost> {1_700_000_000 + number} +0000\n"
    return f"{head}data {len(message)}\n{message}"


TABLES: dict[str, tuple[Callable[[Peers, int], Table], int]] = {
    "kit-train": (train, 7),
    "register": (register, 5),
    "kit-install": (install, 7),
}
