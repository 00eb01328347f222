"""What the tests stand on, made once for all workers: the wheel, installed; a trained repository."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).parents[1]
SECONDS = 900  # after which a process hangs
# Of the machine and of whoever runs the tests; nothing of it may change a result.
LEFT_OUT = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "CI", "DVC_", "GIT_", "COPIER_", "PYTEST_", "COV_")
MARKERS = {
    "environment": "needs an installed environment, a generated repository, act or a server",
    "slow": "takes more than three seconds of a core",
}
SLOW = frozenset((Path(__file__).with_name("slow.txt")).read_text("utf-8").split())
FIRST = ("tests/tiers/", "tests/act/")  # the longest tests first


Once = Callable[[str, Callable[[Path], object]], Path]


@dataclass(frozen=True)
class Done:
    """A process that ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def said(self) -> str:
        return self.stdout + self.stderr


def of_a_process(**more: str) -> dict[str, str]:
    """The environment of a process that a test runs, with `more` in it."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(LEFT_OUT)}
    return environment | {"DVC_NO_ANALYTICS": "1"} | more


def run(command: Sequence[object], cwd: Path, **more: str) -> Done:
    """Runs to the end without a terminal; `more` goes into its environment."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=of_a_process(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def must(command: Sequence[object], cwd: Path, **more: str) -> str:
    done = run(command, cwd, **more)
    assert done.code == 0, f"{command}\n{done.said}"
    return done.stdout


def exported(to: Path, *folders: str) -> Path:
    """What is in Git or about to be, without Git, as a downloaded archive has it; of `folders` only, if some are named."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *folders]
    for name in must(listed, ROOT).splitlines():
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, to / name)
    return to


def without_latency(means: str) -> str:
    """mlops.yaml without the gate that calls `predict` three times, where nothing asks for what it says."""
    found = re.sub(r"^  latency:\n(?:    .*\n)+", "", means, flags=re.MULTILINE)
    assert found != means
    return found


def pytest_configure(config: pytest.Config) -> None:
    for name, what in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {what}")


@pytest.hookimpl(tryfirst=True)  # before pytest reads `-m`
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests that `sh tests/run --quick` leaves out, and runs those that need an environment first.

    A test needs an environment if it uses `once`, also through another fixture. A test that makes one itself is
    marked in its file. tests/slow.txt names the slow tests, as measured.

    Long tests start first, so that no worker waits for one at the end. xdist gives the first part of the list to the
    first worker. The other workers begin with quick tests while it trains the repository that many tests share.
    """
    for item in items:
        if "once" in getattr(item, "fixturenames", ()):
            item.add_marker("environment")
        if getattr(item, "originalname", None) in SLOW:
            item.add_marker("slow")
    items.sort(key=lambda item: (not item.get_closest_marker("environment"), _turn(item.nodeid)))


def _turn(test: str) -> int:
    return next((turn for turn, start in enumerate(FIRST) if test.startswith(start)), len(FIRST))


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


@pytest.fixture(scope="session")
def once(shared: Path) -> Once:
    """Makes a folder by its name once for all workers; the others wait."""

    def make(name: str, fill: Callable[[Path], object]) -> Path:
        folder = shared / name
        with FileLock(shared / f"{name}.lock"):
            if not (done := shared / f"{name}.done").exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                fill(folder)
                done.touch()
        return folder

    return make


@pytest.fixture(scope="session", autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A Git identity of the tests' own, and nobody's settings.

    Python keeps what it compiled, as on anybody's machine: a stage takes a third of the time. Ctrl-C is heard, also by
    what is started, where a shell in the background had it ignored.
    """
    home = tmp_path_factory.mktemp("home")
    (home / ".gitconfig").write_text(
        "[user]\n\tname = Test\n\temail = test@example.com\n[init]\n\tdefaultBranch = main\n"
    )
    before = dict(os.environ)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    caches = subprocess.run(["uv", "cache", "dir"], capture_output=True, text=True, check=True)
    os.environ |= {
        "UV_CACHE_DIR": caches.stdout.strip(),
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "GIT_CONFIG_SYSTEM": os.devnull,
        "MYPY_CACHE_DIR": str(home / ".cache/mypy"),
    }
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def wheel(once: Once) -> Path:
    folder = once(
        "wheel", lambda into: must(["uv", "build", "--quiet", "--wheel", "--out-dir", into], ROOT) and None
    )
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session")
def mlops_new(wheel: Path, once: Once) -> Path:
    """The command, installed from the wheel into an environment of its own."""

    def install(into: Path) -> None:
        must(["uv", "venv", "--quiet", into / "venv"], into)
        must(["uv", "pip", "install", "--quiet", "--python", into / "venv", wheel], into)

    scripts = "Scripts" if os.name == "nt" else "bin"
    return once("installed", install) / "venv" / scripts / "mlops-new"


@pytest.fixture(scope="session")
def trained(mlops_new: Path, once: Once) -> Path:
    """A repository made with --train. Do not change it: copy it with `copy_of`."""
    return once("trained", lambda into: must([mlops_new, "flights", "--train"], into)) / "flights"


@pytest.fixture(scope="session")
def versioned(trained: Path, once: Once) -> Path:
    """As `trained`, registered as v0.1.0, without the gate that predicts three times. Do not change it."""

    def make(into: Path) -> None:
        work = copied(trained, into)
        means = work / "mlops.yaml"
        means.write_text(without_latency(means.read_text("utf-8")), "utf-8")
        must(["git", "commit", "--quiet", "--all", "--no-verify", "--message=Do without latency"], work)
        for command in ("gate", "register"):
            must([sys.executable, "-m", "mlops_kit", command], work, PYTHONPATH=str(ROOT / "actions"))

    return once("versioned", make) / "flights"


def copied(repository: Path, into: Path) -> Path:
    """A copy of a repository, with its own cache of DVC, that shares the original's environment."""
    to = into / repository.name
    shutil.copytree(repository, to, symlinks=True, ignore=shutil.ignore_patterns(".venv"))
    (to / ".venv").symlink_to(repository / ".venv")
    return to


@pytest.fixture
def copy_of(tmp_path: Path) -> Callable[[Path], Path]:
    """A copy of a repository that shares the original's environment."""
    return lambda repository: copied(repository, tmp_path)


@pytest.fixture
def flights(trained: Path, copy_of: Callable[[Path], Path]) -> Path:
    return copy_of(trained)


def python_of(repository: Path) -> Path:
    return repository / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
