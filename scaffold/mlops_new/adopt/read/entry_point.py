"""What trains here: every script, module and notebook that could, and the one that most likely does."""

import ast
import shlex
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from mlops_new.adopt.read import source
from mlops_new.adopt.read.file_uses import calls
from mlops_new.adopt.read.repository import Place
from mlops_new.adopt.read.source import Source, Unreadable
from mlops_new.base.errors import MlopsNewError

FITS = ("fit", "fit_generator", "partial_fit", "fit_predict", "train_on_batch", "backward", "cross_val_score")
TRAINS = (
    "xgb.train",
    "xgboost.train",
    "lgb.train",
    "lightgbm.train",
    "trainer.train",
    "Trainer",
    "GridSearchCV",
)
SAVES = ("joblib.dump", "pickle.dump", "torch.save", "save_model", "save_pretrained", "to_onnx")
JUDGES = ("accuracy_score", "roc_auc_score", "f1_score", "classification_report", "mean_squared_error",
          "mean_absolute_error", "r2_score", "log_loss", "score", "evaluate")  # fmt: skip
NAMED = {"train": 3, "training": 3, "fit": 2, "pipeline": 1, "main": 1, "run": 1, "model": 1}
OTHERWISE = ("predict", "infer", "serve", "app", "eval", "explor", "eda", "old", "copy", "untitled", "draft",
             "backup", "demo", "sweep", "tune")  # fmt: skip
NOT_HERE = ("test", "tests", "docs", "doc", "migrations")
LOOKED_FOR = ".fit(, .train(, .backward() and cross_val_score in *.py and *.ipynb"


@dataclass(frozen=True)
class Entry:
    """`command` is run in the folder `inside`, which is relative to the root; empty is the root itself."""

    path: str
    kind: str  # script, module, notebook or pipeline
    arguments: list[str] = field(default_factory=list)
    inside: str = ""
    module: str = ""
    why: list[str] = field(default_factory=list)
    score: int = 0

    @property
    def stem(self) -> str:
        return PurePosixPath(self.path).stem


@dataclass
class Found:
    """`sources` by path; `unreadable` says why, by path."""

    sources: dict[str, Source] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    candidates: list[Entry] = field(default_factory=list)


def look(place: Place) -> Found:
    """Everything that could train, the likeliest first."""
    found = Found()
    for path in place.files:
        parts = PurePosixPath(path).parts
        if path.endswith((".py", ".ipynb")) and not set(parts[:-1]) & set(NOT_HERE):
            try:
                found.sources[path] = source.read(place.root, path)
            except Unreadable as error:
                found.unreadable[path] = str(error)
    fits = {path: why for path, one in found.sources.items() if (why := _fits(one))}
    entries = [_entry(place, one, fits, found.sources) for one in found.sources.values()]
    found.candidates = sorted((one for one in entries if one), key=lambda one: (-one.score, one.path))
    return found


def choose(found: Found, place: Place) -> Entry:
    """Raises MlopsNewError that says what was looked for and where when nothing trains."""
    if found.candidates:
        return found.candidates[0]
    where = f"{place.root}/{place.within}" if place.within else str(place.root)
    read = f"{len(found.sources)} files of Python"
    unread = "".join(f"\n  {path}: {why}" for path, why in found.unreadable.items())
    raise MlopsNewError(
        f"Nothing that trains was found in {where}: looked for {LOOKED_FOR}, in {read}, "
        f"outside of {', '.join(NOT_HERE)}.{f' Not read:{unread}' if unread else ''}",
        "Name it: mlops-new adopt --entry 'scripts/train.py --epochs 3'",
    )


def named(place: Place, found: Found, words: str) -> Entry:
    """What --entry names: a file or a module, with arguments."""
    try:
        first, *arguments = shlex.split(words) or [""]
    except ValueError as error:
        raise MlopsNewError(f"--entry {words!r} cannot be read: {error}.") from error
    as_file = first.replace(".", "/") + ".py"
    options = [first, f"{place.within}/{first}", as_file, f"src/{as_file}"]
    path = next((one for one in options if place.has(one) and one.endswith((".py", ".ipynb"))), None)
    if path is None:
        known = ", ".join(one.path for one in found.candidates[:5]) or "nothing that trains"
        raise MlopsNewError(f"--entry names {first!r}, and there is no such script, module or notebook.",
                            f"Found here: {known}.")  # fmt: skip
    if path not in found.sources:
        try:
            found.sources[path] = source.read(place.root, path)
        except Unreadable as error:
            raise MlopsNewError(f"{path} cannot be read: {error}.") from error
    made = _made(place, found.sources[path], ["--entry names it"], 0)
    return Entry(made.path, made.kind, arguments, made.inside, made.module, made.why)


def _entry(place: Place, one: Source, fits: dict[str, str], sources: dict[str, Source]) -> Entry | None:
    if PurePosixPath(one.path).name in ("setup.py", "conftest.py", "__init__.py"):
        return None
    own = fits.get(one.path)
    reached = [path for path in imported(one, sources) if path in fits]
    if not (own or reached) or not (one.is_notebook or runs(one.tree)):
        return None
    why = [own] if own else [f"imports {reached[0]}, which {fits[reached[0]]}"]
    score = 4 if own else 3
    for names, says, points in ((SAVES, "saves the model", 2), (JUDGES, "judges it", 1)):
        if any(name in names or name.rpartition(".")[2] in names for name, _ in calls(one.tree)):
            why.append(says)
            score += points
    stem = PurePosixPath(one.path).stem.lower()
    if points := max((points for word, points in NAMED.items() if word in stem), default=0):
        why.append(f"is called {stem}")
        score += points
    if any(word in stem for word in OTHERWISE):
        score -= 4
    return _made(place, one, why, score - one.is_notebook)


def _made(place: Place, one: Source, why: list[str], score: int) -> Entry:
    if one.is_notebook:
        folder = PurePosixPath(one.path).parent.as_posix()  # where Jupyter would run it
        return Entry(one.path, "notebook", inside="" if folder == "." else folder, why=why, score=score)
    if module := _module(place, one):
        return Entry(one.path, "module", module=module, why=why, score=score)
    return Entry(one.path, "script", why=why, score=score)


def _module(place: Place, one: Source) -> str:
    """Its dotted name where it must be run as one: it imports its own package."""
    parts = PurePosixPath(one.path).with_suffix("").parts
    if parts[0] == "src":
        parts = parts[1:]
    package = PurePosixPath(one.path).parent / "__init__.py"
    if len(parts) < 2 or not place.has(package.as_posix()):
        return ""
    for node in ast.walk(one.tree):
        if isinstance(node, ast.ImportFrom) and (
            node.level or (node.module or "").partition(".")[0] == parts[0]
        ):
            return ".".join(parts)
        if isinstance(node, ast.Import) and any(
            name.name.partition(".")[0] == parts[0] for name in node.names
        ):
            return ".".join(parts)
    return ""


def runs(tree: ast.Module) -> bool:
    """Does running the file do more than define?"""
    defines = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    for node in tree.body:
        if isinstance(node, ast.If) and "__main__" in ast.dump(node.test):
            return True
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            return True
        if isinstance(node, ast.For | ast.While | ast.With | ast.Try):
            return True
        if not isinstance(node, (*defines, ast.Expr, ast.If)) and any(
            name.rpartition(".")[2] in FITS for name, _ in calls(node)
        ):
            return True
    return False


def _fits(one: Source) -> str:
    """Where it trains, in words; empty where it does not."""
    found = [
        (call.lineno, name) for name, call in calls(one.tree)
        if name in TRAINS or name.rpartition(".")[2] in FITS or name.lower().endswith("trainer.train")
    ]  # fmt: skip
    if not found:
        return ""
    line, name = min(found)
    return f"calls {name}()" + ("" if one.is_notebook else f" in line {line}")


def imported(one: Source, sources: dict[str, Source]) -> list[str]:
    """Files of the repository that it imports, directly or through others."""
    seen: list[str] = []
    waiting = [one]
    while waiting:
        current = waiting.pop()
        for path in _imports(current, sources):
            if path != one.path and path not in seen:
                seen.append(path)
                waiting.append(sources[path])
    return seen


def _imports(one: Source, sources: dict[str, Source]) -> list[str]:
    folder = PurePosixPath(one.path).parent
    names: list[tuple[str, list[str]]] = []
    for node in ast.walk(one.tree):
        if isinstance(node, ast.Import):
            names += [(name.name, []) for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            around = folder
            for _ in range(node.level - 1):
                around = around.parent
            before = ".".join(around.parts) + "." if node.level and around.parts else ""
            names.append((before + (node.module or ""), [name.name for name in node.names]))
    found = []
    for module, members in names:
        for base in ("", f"{folder.as_posix()}/" if folder.parts else "", "src/"):
            at = base + module.strip(".").replace(".", "/")
            options = [f"{at}.py", f"{at}/__init__.py", *(f"{at}/{member}.py" for member in members)]
            found += [path for path in options if path in sources]
    return list(dict.fromkeys(found))
