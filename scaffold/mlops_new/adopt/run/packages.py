"""The environment that a training runs with: found, completed with DVC, and pinned in a file of its own."""

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
from mlops_new.adopt.read.entry_point import Entry
from mlops_new.adopt.read.file_uses import dotted
from mlops_new.adopt.read.manifests import Declared
from mlops_new.adopt.read.repository import Place
from mlops_new.adopt.read.source import Source
from mlops_new.adopt.run.observation import desk
from mlops_new.base.errors import MlopsNewError
from mlops_new.base.processes import ProcessError, require, run

PINS = "mlops-requirements.txt"
DVC, NOTEBOOK = "dvc>=3.67", ("ipykernel>=6.29", "papermill>=2.6")
# Where a package is imported by another name than it is installed by.
INSTALLED_AS = {
    "sklearn": "scikit-learn", "cv2": "opencv-python-headless", "PIL": "pillow", "yaml": "pyyaml",
    "skimage": "scikit-image", "bs4": "beautifulsoup4", "dateutil": "python-dateutil", "dotenv": "python-dotenv",
    "Crypto": "pycryptodome", "umap": "umap-learn", "imblearn": "imbalanced-learn",
    "pytorch_lightning": "pytorch-lightning", "attr": "attrs", "git": "gitpython", "MySQLdb": "mysqlclient",
}  # fmt: skip

# What pandas and its like need for some of their functions, and do not bring.
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
    """`run` stands in front of every command; `adds` are files that were missing, by their paths."""

    says: str
    run: str
    sources: tuple[str, ...]  # for `uv pip compile`
    needs: tuple[str, ...]  # what the sources do not name and a run needs
    environment: tuple[str, ...]  # of mlops.yaml
    python: str
    adds: dict[str, str]
    editable: bool = False  # the repository's own package is installed too
    locked: bool = False  # by uv, and only to be completed
    wished: tuple[str, ...] = ()  # NAME==VERSION, kept if they can be
    notes: tuple[str, ...] = ()

    def with_run(self, *words: str) -> list[str]:
        return [*self.run.split(), *words]

    @property
    def made_by(self) -> str:
        return f"uv pip compile --universal --python-version {self.python} -o {PINS} -"


def find(here: Place, entry: Entry, sources: list[Source], python: str) -> Packages:
    """Of uv's lock, pyproject.toml, requirements.txt, conda's file, or - where there is none - of what is imported."""
    pyproject = _toml(here, "pyproject.toml")
    project = pyproject.get("project") or {}
    of_poetry = pyproject.get("tool", {}).get("poetry", {})
    needs = (DVC, *(NOTEBOOK if entry.kind == "notebook" else ()))
    if of_poetry.get("dependencies") and not project.get("dependencies"):
        return _of_poetry(here, entry, of_poetry, needs, python)
    wanted, python = python, python or _python(here, project)
    if here.has("uv.lock") and project:
        return _of_lock(here, needs, python)
    pinned = _pinned(python)
    if project.get("dependencies") or (project and not _requirements(here)):
        editable = here.has("src") or entry.kind in ("module", "pipeline")
        says = f"pyproject.toml, {'installed with its own package, ' if editable else ''}pinned in {PINS}"
        return Packages(says, pinned, ("pyproject.toml",), needs, (PINS,), python, {}, editable)
    if file := _requirements(here):
        says = f"{file}, pinned in {PINS}"
        return Packages(says, pinned, (file,), needs, (PINS,), python, {})
    names = _imported(here, sources)
    if file := next((path for path in manifests.CONDA_FILES if here.has(path)), ""):
        return _of_conda(here, file, names, needs, wanted)
    says = f"the imports ({', '.join(names) or 'none'}): there was no requirements.txt, now there is"
    text = "".join(f"{name}\n" for name in names)
    return Packages(says, pinned, ("requirements.txt",), needs, (PINS,), python, {"requirements.txt": text})


def _pinned(python: str) -> str:
    return f"uv run --no-project --isolated --python {python} --with-requirements {PINS}"


def _of_poetry(
    here: Place, entry: Entry, table: dict[str, Any], needs: tuple[str, ...], python: str
) -> Packages:
    found = manifests.poetry(table["dependencies"], here.text(manifests.LOCK))
    python = python or _python(here, {"requires-python": found.python})
    editable = table.get("package-mode", True) and (here.has("src") or entry.kind in ("module", "pipeline"))
    locked = f" with the versions of {manifests.LOCK}" if found.locked else ""
    says = f"pyproject.toml, as Poetry reads it{locked}, pinned in {PINS}"
    note = (f"After a change of Poetry's dependencies, change {PINS} too: its first line says how.",)
    return Packages(says, _pinned(python), (), (*found.requires, *needs), (PINS,), python, {}, editable,
                    wished=found.locked, notes=(*note, *_not_taken("pyproject.toml", found)))  # fmt: skip


def _of_conda(here: Place, file: str, names: list[str], needs: tuple[str, ...], python: str) -> Packages:
    """The packages of conda's file that PyPI has too, in a requirements.txt."""
    import yaml

    try:
        content = yaml.safe_load(here.text(file))
    except yaml.YAMLError as error:
        raise MlopsNewError(f"{file} is not YAML: {error}.", "Mend it and adopt again.") from error
    listed = content.get("dependencies") if isinstance(content, dict) else None
    found = manifests.conda(listed if isinstance(listed, list) else [], names)
    python = python or _python(here, {"requires-python": found.python})
    says = f"what is imported, at the versions of {file}, in requirements.txt, which is new; pinned in {PINS}"
    text = "".join(f"{line}\n" for line in found.requires)
    adds = {"requirements.txt": text}
    return Packages(says, _pinned(python), ("requirements.txt",), needs, (PINS,), python, adds,
                    notes=_not_taken(file, found))  # fmt: skip


def _not_taken(file: str, found: Declared) -> tuple[str, ...]:
    if not found.left_out:
        return ()
    listed = "; ".join(found.left_out)
    return (
        f"Not taken from {file}: {listed}. What the training needs of it: add to {PINS}, as its first line says.",
    )


def _of_lock(here: Place, needs: tuple[str, ...], python: str) -> Packages:
    locked = {package["name"] for package in _toml(here, "uv.lock").get("package", [])}
    missing = tuple(need for need in needs if re.split(r"[<>=]", need)[0] not in locked)
    if not missing:
        return Packages("uv.lock", "uv run --frozen", (), (), ("uv.lock",), python, {}, locked=True)
    says = f"uv.lock; what it lacks ({', '.join(re.split('[<>=]', one)[0] for one in missing)}) in {PINS}"
    command = f"uv run --frozen --with-requirements {PINS}"
    return Packages(says, command, (), missing, ("uv.lock", PINS), python, {}, locked=True)


def pins(packages: Packages, copy: Path) -> str:
    """The text of mlops-requirements.txt. Raises MlopsNewError, with uv's words, when it cannot be resolved."""
    require("uv")
    given = desk(copy) / "needs.in"
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
            (desk(copy) / "locked.txt").write_text(run(export, copy), encoding="utf-8")
            compile_ += ["--constraints", str(desk(copy) / "locked.txt")]
        resolved = _resolved(
            [*compile_, "--python-version", packages.python, *packages.sources, given], packages, copy
        )
    except ProcessError as error:
        raise MlopsNewError(
            f"The packages of {', '.join(packages.sources) or 'uv.lock'} with {', '.join(packages.needs)} "
            f"cannot be had for Python {packages.python}. uv says:\n{error.last_words()}",
            "Packages come from the network or from uv's cache. For another Python: --python 3.12",
        ) from error
    own = "-e .\n" if packages.editable else ""
    words = shlex.join(packages.needs)
    anew = rf"printf '%s\n' {words} | {packages.made_by} {' '.join(packages.sources)}".rstrip()
    return f"# What the training runs with, pinned. Anew: {anew}\n{own}{resolved}"


def _resolved(compile_: Sequence[str | Path], packages: Packages, copy: Path) -> str:
    """With the versions that are wished for, or without them where they exclude DVC. Raises ProcessError."""
    if not packages.wished:
        return run(compile_, copy)
    wished = desk(copy) / "wished.txt"
    wished.write_text("".join(f"{one}\n" for one in packages.wished), encoding="utf-8")
    try:
        return run([*compile_, "--constraints", wished], copy)
    except ProcessError:
        return f"# not at the versions of {manifests.LOCK}, which cannot be had together with DVC\n{run(compile_, copy)}"


def _python(here: Place, project: dict[str, Any]) -> str:
    """As the repository says, else ours."""
    said = here.text(".python-version").strip().removeprefix("cpython-")
    if found := re.match(r"3\.\d+", said):
        return found[0]
    wanted = str(project.get("requires-python") or "")
    try:
        path = run(["uv", "python", "find", wanted], here.root).strip() if wanted else ""
        asked = [path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        return run(asked, here.root).strip() if path else ".".join(map(str, sys.version_info[:2]))
    except (ProcessError, OSError):
        return ".".join(map(str, sys.version_info[:2]))


def _toml(here: Place, path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(here.text(path))
    except tomllib.TOMLDecodeError as error:
        raise MlopsNewError(f"{path} is not TOML: {error}.", "Mend it and adopt again.") from error


def _requirements(here: Place) -> str:
    known = ("requirements.txt", "requirements/base.txt", "requirements/requirements.txt")
    inside = [f"{here.within}/{known[0]}"] if here.within else []
    return next((path for path in (*inside, *known) if here.has(path)), "")


def _imported(here: Place, sources: list[Source]) -> list[str]:
    """Distributions by what is imported and neither Python's own nor the repository's."""
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
    own = {Path(path).parts[0].removesuffix(".py") for path in here.files}
    own |= {Path(path).stem for path in here.files if path.endswith(".py")}
    outside = names - own - sys.stdlib_module_names - {"google"}
    return sorted(INSTALLED_AS.get(name, name) for name in outside)
