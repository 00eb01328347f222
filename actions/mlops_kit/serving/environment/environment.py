"""The Python environment of replicas and proxy: the model's libraries as the version's lock pins them, and the engine.

Environments are named by what went into them, so a version with the same libraries starts at once.
"""

import fcntl
import hashlib
import os
import re
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from mlops_kit.base.errors import KitError
from mlops_kit.base.processes import ProcessError, run, run_within
from mlops_kit.base.progress import Say
from mlops_kit.project.transfer import STALL
from mlops_kit.serving.environment import python_version
from mlops_kit.serving.environment.conflicts import conflict, normal

ENVIRONMENTS = Path(".mlops/serving/environments")
UNUSED_DAYS = 30
EXPORT = (
    *("uv", "export", "--quiet", "--frozen", "--no-dev", "--no-emit-project", "--no-hashes"),
    *("--no-annotate", "--no-header", "--prune", "dvc"),
)
PINNED = re.compile(r"^\s*([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*==\s*[^\s;,*]+\s*(?:;.*)?(?:\\)?$")


@dataclass(frozen=True)
class Wanted:
    """What goes into an environment."""

    libraries: str  # requirements with exact versions
    engine: str  # requirements
    constraints: str
    python: str  # as uv takes it: 3.12, or >=3.11,<3.13
    pinned_by: str  # the file that pins the libraries, for messages
    engine_file: str  # for messages

    @property
    def name(self) -> str:
        parts = f"{self.libraries}\0{self.engine}\0{self.constraints}\0{self.python}"
        return hashlib.sha256(parts.encode()).hexdigest()[:16]


def make(root: Path, wanted: Wanted, project: Path, say: Say) -> Path:
    """The folder of the environment, made if it is not there. `project` holds uv's own settings.

    Raises KitError naming the two packages that do not go together.
    """
    folder = root / ENVIRONMENTS / wanted.name
    if (folder / "bin/python").exists():
        return folder
    rmtree(folder, ignore_errors=True)  # its Python was uninstalled
    say("make the environment of the engine")
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(mkdtemp(prefix="making-", dir=folder.parent))
    try:
        _fill(aside / "venv", wanted, project)
        _publish(aside / "venv", folder)
    finally:
        rmtree(aside, ignore_errors=True)
    return folder


def _fill(venv: Path, wanted: Wanted, project: Path) -> None:
    # Relocatable: it is renamed when it is whole, so nobody uses half of one.
    run_within(
        ["uv", "venv", "--quiet", "--no-project", "--relocatable", "--python", wanted.python, str(venv)],
        project,
        stall=STALL,
    )
    files = {"libraries": wanted.libraries, "engine": wanted.engine, "constraints": wanted.constraints}
    for name, text in files.items():
        (venv.parent / f"{name}.txt").write_text(text, encoding="utf-8")
    given = ["-r", "libraries.txt", "-r", "engine.txt", "-c", "constraints.txt"]
    paths = [word if word.startswith("-") else str(venv.parent / word) for word in given]
    try:
        install = ["uv", "pip", "install", "--quiet", "--color", "never", "--python", str(venv)]
        run_within([*install, *paths], project, stall=STALL)
    except ProcessError as error:
        raise conflict(error, names(wanted.libraries), wanted.pinned_by, wanted.engine_file) from error


def hold(folder: Path) -> int:
    """A file descriptor that keeps `remove_unused` away from the environment until this process ends."""
    held = os.open(folder, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_SH)
    os.utime(folder)  # used now
    return held


def remove_unused(root: Path) -> list[str]:
    """Remove the environments that no server has used for `UNUSED_DAYS` days. Returns their names. Raises OSError."""
    before = time.time() - UNUSED_DAYS * 86400
    old = [folder for folder in (root / ENVIRONMENTS).glob("*/") if folder.stat().st_mtime < before]
    return [folder.name for folder in old if _removed(folder)]


def _removed(folder: Path) -> bool:
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        rmtree(folder)
    except BlockingIOError:  # a server uses it
        return False
    finally:
        os.close(held)
    return True


def _publish(made: Path, folder: Path) -> None:
    try:
        made.rename(folder)
    except OSError:
        if not folder.is_dir():  # else another server made the same one meanwhile
            raise


def wanted(engine: Path, project: Path, environment: Sequence[str], trained_with: str = "") -> Wanted:
    """What the engine and the version in `project` need; `trained_with` is the version of its Python, if known.

    Raises KitError for a file that is missing.
    """
    settings_file = engine / "pyproject.toml"
    if not settings_file.is_file():
        raise KitError(
            f"{settings_file} is not there: nothing says what the engine needs.",
            "Is `serving.engine` right? `mlops-new add serving=seldon` makes the folder.",
        )
    settings = tomllib.loads(settings_file.read_text(encoding="utf-8"))["project"]
    libraries, pinned_by = _libraries(project, environment)
    accepted = settings.get("requires-python", "")
    python = python_version.request(project, trained_with, accepted, str(settings_file))
    engine_text = "".join(f"{line}\n" for line in settings.get("dependencies", []))
    constraints = _without(engine / "constraints.txt", names(libraries))
    return Wanted(libraries, engine_text, constraints, python, pinned_by, str(settings_file))


def _libraries(project: Path, environment: Sequence[str]) -> tuple[str, str]:
    """The requirements of the model's libraries, and the file that they come from."""
    for name in [*(one for one in environment if Path(one).name == "uv.lock"), "uv.lock"]:
        if (project / name).is_file():
            folder = (project / name).parent
            return run([*EXPORT, "--project", str(folder)], folder), name
    for name in environment:
        if name.endswith(".txt") and (text := _pinned_text(project / name)):
            return text, name
    raise KitError(
        "The versions of the model's libraries are unknown: there is neither a uv.lock nor a requirements file "
        "with exact versions.",
        "Commit uv.lock (`uv lock`), or name a file with lines such as `scikit-learn==1.9.0` under `environment`.",
    )


def _pinned_text(path: Path) -> str:
    """The file's text if each requirement in it has an exact version, otherwise empty."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    lines = [line.partition(" #")[0].strip() for line in text.splitlines()]
    meant = [line for line in lines if line and not line.startswith(("#", "-"))]
    return text if meant and all(PINNED.match(line) for line in meant) else ""


def names(requirements: str) -> frozenset[str]:
    """The packages with an exact version, normalised as indexes do."""
    found = (PINNED.match(line.partition(" #")[0]) for line in requirements.splitlines())
    return frozenset(normal(match[1]) for match in found if match)


def _without(constraints: Path, pinned: frozenset[str]) -> str:
    """The tested versions of the engine's packages; what the repository's lock pins is the lock's to say."""
    text = constraints.read_text(encoding="utf-8") if constraints.is_file() else ""
    lines = [line.partition(" #")[0].strip() for line in text.splitlines()]
    kept = [line for line in lines if line and not line.startswith(("#", "--hash"))]
    return "".join(f"{line}\n" for line in kept if normal(re.split(r"[\s<>=!~;\[]", line)[0]) not in pinned)
