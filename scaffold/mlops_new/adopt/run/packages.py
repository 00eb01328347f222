"""The packages that a training needs: found in the repository, completed with DVC, and pinned."""

import ast
import re
import shlex
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_new.adopt.read import manifests
from mlops_new.adopt.read.entry_point import EntryPoint
from mlops_new.adopt.read.file_uses import dotted
from mlops_new.adopt.read.manifests import Manifest
from mlops_new.adopt.read.repository import Repository
from mlops_new.adopt.read.source import Source
from mlops_new.adopt.run.working_copy import scratch_folder
from mlops_new.base.errors import MlopsNewError
from mlops_new.base.processes import ProcessError, require, run, run_online

PINS = "mlops-requirements.txt"
DVC, NOTEBOOK = "dvc>=3.67", ("ipykernel>=6.29", "papermill>=2.6")
# Packages that are imported by another name than they are installed by.
INSTALLED_AS = {
    "sklearn": "scikit-learn", "cv2": "opencv-python-headless", "PIL": "pillow", "yaml": "pyyaml",
    "skimage": "scikit-image", "bs4": "beautifulsoup4", "dateutil": "python-dateutil", "dotenv": "python-dotenv",
    "Crypto": "pycryptodome", "umap": "umap-learn", "imblearn": "imbalanced-learn",
    "pytorch_lightning": "pytorch-lightning", "attr": "attrs", "git": "gitpython", "MySQLdb": "mysqlclient",
}  # fmt: skip

# Packages that functions of pandas and polars need, and that do not come with them.
NEEDED_BY = {
    ".read_parquet": "pyarrow",
    ".to_parquet": "pyarrow",
    ".read_excel": "openpyxl",
    ".to_excel": "openpyxl",
    ".plot": "matplotlib",
    ".hist": "matplotlib",
}


@dataclass(frozen=True)
class Packages:
    """`run`: the beginning of every command; `adds`: the text of missing files, by path."""

    description: str
    run: str
    sources: tuple[str, ...]  # for `uv pip compile`
    needs: tuple[str, ...]  # what a run needs and the sources do not name
    environment: tuple[str, ...]  # of mlops.yaml
    python: str
    adds: dict[str, str]
    editable: bool = False  # the repository's own package is installed too
    locked: bool = False  # by uv, and only to be completed
    preferred: tuple[str, ...] = ()  # NAME==VERSION, kept if they can be
    notes: tuple[str, ...] = ()

    def with_run(self, *words: str) -> list[str]:
        return [*self.run.split(), *words]

    @property
    def made_by(self) -> str:
        return f"uv pip compile --universal --python-version {self.python} -o {PINS} -"


def find_packages(repo: Repository, entry: EntryPoint, sources: list[Source], python: str) -> Packages:
    """Find the packages in uv.lock, pyproject.toml, requirements.txt or conda's file, or else in the imports."""
    pyproject = _toml(repo, "pyproject.toml")
    project = pyproject.get("project") or {}
    of_poetry = pyproject.get("tool", {}).get("poetry", {})
    needs = (DVC, *(NOTEBOOK if entry.kind == "notebook" else ()))
    if of_poetry.get("dependencies") and not project.get("dependencies"):
        return _from_poetry(repo, entry, of_poetry, needs, python)
    requested, python = python, python or _python(repo, project)
    if repo.has("uv.lock") and project:
        return _from_lock(repo, needs, python)
    pinned = _pinned(python)
    if project.get("dependencies") or (project and not _requirements(repo)):
        editable = repo.has("src") or entry.kind in ("module", "pipeline")
        description = (
            f"pyproject.toml, {'installed with its own package, ' if editable else ''}pinned in {PINS}"
        )
        return Packages(description, pinned, ("pyproject.toml",), needs, (PINS,), python, {}, editable)
    if file := _requirements(repo):
        description = f"{file}, pinned in {PINS}"
        return Packages(description, pinned, (file,), needs, (PINS,), python, {})
    names = _imported(repo, sources)
    if file := next((path for path in manifests.CONDA_FILES if repo.has(path)), ""):
        return _from_conda(repo, file, names, needs, requested)
    description = f"the imports ({', '.join(names) or 'none'}): there was no requirements.txt, now there is"
    text = "".join(f"{name}\n" for name in names)
    return Packages(
        description, pinned, ("requirements.txt",), needs, (PINS,), python, {"requirements.txt": text}
    )


def _pinned(python: str) -> str:
    return f"uv run --no-project --isolated --python {python} --with-requirements {PINS}"


def _from_poetry(
    repo: Repository, entry: EntryPoint, table: dict[str, Any], needs: tuple[str, ...], python: str
) -> Packages:
    manifest = manifests.from_poetry(table["dependencies"], repo.text(manifests.LOCK))
    python = python or _python(repo, {"requires-python": manifest.python})
    editable = table.get("package-mode", True) and (repo.has("src") or entry.kind in ("module", "pipeline"))
    locked = f" with the versions of {manifests.LOCK}" if manifest.locked else ""
    description = f"pyproject.toml, as Poetry reads it{locked}, pinned in {PINS}"
    note = (f"After a change of Poetry's dependencies, change {PINS} too: its first line says how.",)
    return Packages(description, _pinned(python), (), (*manifest.requires, *needs), (PINS,), python, {}, editable,
                    preferred=manifest.locked, notes=(*note, *_not_taken("pyproject.toml", manifest)))  # fmt: skip


def _from_conda(
    repo: Repository, file: str, names: list[str], needs: tuple[str, ...], python: str
) -> Packages:
    """The packages of conda's file that PyPI has, in a new requirements.txt."""
    import yaml

    try:
        content = yaml.safe_load(repo.text(file))
    except yaml.YAMLError as error:
        raise MlopsNewError(f"{file} is not YAML: {error}.", "Mend it and adopt again.") from error
    listed = content.get("dependencies") if isinstance(content, dict) else None
    manifest = manifests.from_conda(listed if isinstance(listed, list) else [], names)
    python = python or _python(repo, {"requires-python": manifest.python})
    description = (
        f"what is imported, at the versions of {file}, in requirements.txt, which is new; pinned in {PINS}"
    )
    text = "".join(f"{line}\n" for line in manifest.requires)
    adds = {"requirements.txt": text}
    return Packages(description, _pinned(python), ("requirements.txt",), needs, (PINS,), python, adds,
                    notes=_not_taken(file, manifest))  # fmt: skip


def _not_taken(file: str, manifest: Manifest) -> tuple[str, ...]:
    if not manifest.left_out:
        return ()
    listed = "; ".join(manifest.left_out)
    return (
        f"Not taken from {file}: {listed}. What the training needs of it: add to {PINS}, as its first line says.",
    )


def _from_lock(repo: Repository, needs: tuple[str, ...], python: str) -> Packages:
    locked = {package["name"] for package in _toml(repo, "uv.lock").get("package", [])}
    missing = tuple(need for need in needs if re.split(r"[<>=]", need)[0] not in locked)
    if not missing:
        return Packages("uv.lock", "uv run --frozen", (), (), ("uv.lock",), python, {}, locked=True)
    description = (
        f"uv.lock; what it lacks ({', '.join(re.split('[<>=]', one)[0] for one in missing)}) in {PINS}"
    )
    command = f"uv run --frozen --with-requirements {PINS}"
    return Packages(description, command, (), missing, ("uv.lock", PINS), python, {}, locked=True)


def pins(packages: Packages, copy: Path) -> str:
    """The text of mlops-requirements.txt. Raises MlopsNewError, with uv's message, if the packages cannot be resolved."""
    require("uv")
    given = scratch_folder(copy) / "needs.in"
    given.write_text("".join(f"{need}\n" for need in packages.needs), encoding="utf-8")
    compile_ = ["uv", "pip", "compile", "--quiet", "--universal", "--no-header", "--no-annotate"]
    try:
        if packages.locked:
            export = [
                "uv",
                "export",
                "--frozen",
                "--no-hashes",
                "--no-emit-project",
                "--no-header",
                "--no-annotate",
            ]
            (scratch_folder(copy) / "locked.txt").write_text(run(export, copy), encoding="utf-8")
            compile_ += ["--constraints", str(scratch_folder(copy) / "locked.txt")]
        resolved = _resolved(
            [*compile_, "--python-version", packages.python, *packages.sources, given], packages, copy
        )
    except ProcessError as error:
        raise MlopsNewError(
            f"The packages of {', '.join(packages.sources) or 'uv.lock'} with {', '.join(packages.needs)} "
            f"cannot be had for Python {packages.python}. uv says:\n{error.last_words()}",
            "Packages come from the network or from uv's cache. For another Python: --python 3.12",
        ) from error
    own_package = "-e .\n" if packages.editable else ""
    words = shlex.join(packages.needs)
    command_ = rf"printf '%s\n' {words} | {packages.made_by} {' '.join(packages.sources)}".rstrip()
    return f"# What the training runs with, pinned. Anew: {command_}\n{own_package}{resolved}"


def _resolved(compile_: Sequence[str | Path], packages: Packages, copy: Path) -> str:
    """Resolve with the preferred versions, or without them if they exclude DVC. Raises ProcessError."""
    if not packages.preferred:
        return run_online(compile_, copy)
    preferred = scratch_folder(copy) / "preferred.txt"
    preferred.write_text("".join(f"{one}\n" for one in packages.preferred), encoding="utf-8")
    try:
        return run_online([*compile_, "--constraints", preferred], copy)
    except ProcessError:
        return f"# not at the versions of {manifests.LOCK}, which cannot be had together with DVC\n{run_online(compile_, copy)}"


def _python(repo: Repository, project: dict[str, Any]) -> str:
    """The Python version that the repository names, or else ours."""
    version = repo.text(".python-version").strip().removeprefix("cpython-")
    if manifest := re.match(r"3\.\d+", version):
        return manifest[0]
    requested = str(project.get("requires-python") or "")
    try:
        path = run(["uv", "python", "find", requested], repo.root).strip() if requested else ""
        asked = [path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        return run(asked, repo.root).strip() if path else ".".join(map(str, sys.version_info[:2]))
    except (ProcessError, OSError):
        return ".".join(map(str, sys.version_info[:2]))


def _toml(repo: Repository, path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(repo.text(path))
    except tomllib.TOMLDecodeError as error:
        raise MlopsNewError(f"{path} is not TOML: {error}.", "Mend it and adopt again.") from error


def _requirements(repo: Repository) -> str:
    known = ("requirements.txt", "requirements/base.txt", "requirements/requirements.txt")
    inside = [f"{repo.within}/{known[0]}"] if repo.within else []
    return next((path for path in (*inside, *known) if repo.has(path)), "")


def _imported(repo: Repository, sources: list[Source]) -> list[str]:
    """The packages that are imported and belong neither to Python nor to the repository."""
    names: set[str] = set()
    for one in sources:
        for node in ast.walk(one.tree):
            if isinstance(node, ast.Import):
                names |= {name.name.partition(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                names.add(node.module.partition(".")[0])
            elif isinstance(node, ast.Call):
                names |= {
                    needs for call, needs in NEEDED_BY.items() if f".{dotted(node.func)}".endswith(call)
                }
        if any(magic.startswith("%matplotlib") for cell in one.cells for magic in cell.magics):
            names.add("matplotlib")
    own_package = {Path(path).parts[0].removesuffix(".py") for path in repo.files}
    own_package |= {Path(path).stem for path in repo.files if path.endswith(".py")}
    outside = names - own_package - sys.stdlib_module_names - {"google"}
    return sorted(INSTALLED_AS.get(name, name) for name in outside)
