"""Find the entry point of the training: the script, module or notebook that most likely trains."""

import ast
import shlex
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from mlops_new.adopt.read import source
from mlops_new.adopt.read.file_uses import calls
from mlops_new.adopt.read.repository import Repository
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
class EntryPoint:
    """A script, module or notebook that trains, run in the folder `inside` (empty: the root)."""

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
class Codebase:
    """The Python files of a repository by path, those that cannot be read with the reason, and the possible entry points."""

    sources: dict[str, Source] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    candidates: list[EntryPoint] = field(default_factory=list)


def scan(repo: Repository) -> Codebase:
    """Read all Python files and notebooks, and find the possible entry points, the likeliest first."""
    codebase = Codebase()
    for path in repo.files:
        parts = PurePosixPath(path).parts
        if path.endswith((".py", ".ipynb")) and not set(parts[:-1]) & set(NOT_HERE):
            try:
                codebase.sources[path] = source.read(repo.root, path)
            except Unreadable as error:
                codebase.unreadable[path] = str(error)
    training_calls = {path: why for path, file in codebase.sources.items() if (why := _training_call(file))}
    entries = [_candidate(repo, file, training_calls, codebase.sources) for file in codebase.sources.values()]
    codebase.candidates = sorted(
        (entry for entry in entries if entry), key=lambda entry: (-entry.score, entry.path)
    )
    return codebase


def choose(codebase: Codebase, repo: Repository) -> EntryPoint:
    """The likeliest entry point. Raises MlopsNewError, with what was searched for, if nothing trains."""
    if codebase.candidates:
        return codebase.candidates[0]
    where = f"{repo.root}/{repo.within}" if repo.within else str(repo.root)
    read = f"{len(codebase.sources)} files of Python"
    unread = "".join(f"\n  {path}: {why}" for path, why in codebase.unreadable.items())
    raise MlopsNewError(
        f"Nothing that trains was found in {where}: looked for {LOOKED_FOR}, in {read}, "
        f"outside of {', '.join(NOT_HERE)}.{f' Not read:{unread}' if unread else ''}",
        "Name it: mlops-new adopt --entry 'scripts/train.py --epochs 3'",
    )


def from_option(repo: Repository, codebase: Codebase, words: str) -> EntryPoint:
    """The entry point that --entry names: a file or a module, with arguments. Raises MlopsNewError."""
    try:
        first, *arguments = shlex.split(words) or [""]
    except ValueError as error:
        raise MlopsNewError(f"--entry {words!r} cannot be read: {error}.") from error
    as_file = first.replace(".", "/") + ".py"
    options = [first, f"{repo.within}/{first}", as_file, f"src/{as_file}"]
    path = next(
        (option for option in options if repo.has(option) and option.endswith((".py", ".ipynb"))), None
    )
    if path is None:
        known = ", ".join(entry.path for entry in codebase.candidates[:5]) or "nothing that trains"
        raise MlopsNewError(f"--entry names {first!r}, and there is no such script, module or notebook.",
                            f"Found here: {known}.")  # fmt: skip
    if path not in codebase.sources:
        try:
            codebase.sources[path] = source.read(repo.root, path)
        except Unreadable as error:
            raise MlopsNewError(f"{path} cannot be read: {error}.") from error
    entry = _entry_point(repo, codebase.sources[path], ["--entry names it"], 0)
    return EntryPoint(entry.path, entry.kind, arguments, entry.inside, entry.module, entry.why)


def _candidate(
    repo: Repository, file: Source, training_calls: dict[str, str], sources: dict[str, Source]
) -> EntryPoint | None:
    if PurePosixPath(file.path).name in ("setup.py", "conftest.py", "__init__.py"):
        return None
    own = training_calls.get(file.path)
    reached = [path for path in imported_files(file, sources) if path in training_calls]
    if not (own or reached) or not (file.is_notebook or runs(file.tree)):
        return None
    why = [own] if own else [f"imports {reached[0]}, which {training_calls[reached[0]]}"]
    score = 4 if own else 3
    for names, says, points in ((SAVES, "saves the model", 2), (JUDGES, "judges it", 1)):
        if any(name in names or name.rpartition(".")[2] in names for name, _ in calls(file.tree)):
            why.append(says)
            score += points
    stem = PurePosixPath(file.path).stem.lower()
    if points := max((points for word, points in NAMED.items() if word in stem), default=0):
        why.append(f"is called {stem}")
        score += points
    if any(word in stem for word in OTHERWISE):
        score -= 4
    return _entry_point(repo, file, why, score - file.is_notebook)


def _entry_point(repo: Repository, file: Source, why: list[str], score: int) -> EntryPoint:
    if file.is_notebook:
        folder = PurePosixPath(file.path).parent.as_posix()  # where Jupyter would run it
        return EntryPoint(file.path, "notebook", inside="" if folder == "." else folder, why=why, score=score)
    if module := _module(repo, file):
        return EntryPoint(file.path, "module", module=module, why=why, score=score)
    return EntryPoint(file.path, "script", why=why, score=score)


def _module(repo: Repository, file: Source) -> str:
    """The dotted name of a file that imports its own package, and so must run as a module; else empty."""
    parts = PurePosixPath(file.path).with_suffix("").parts
    if parts[0] == "src":
        parts = parts[1:]
    package = PurePosixPath(file.path).parent / "__init__.py"
    if len(parts) < 2 or not repo.has(package.as_posix()):
        return ""
    for node in ast.walk(file.tree):
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
    """True if running the file does more than define functions and classes."""
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


def _training_call(file: Source) -> str:
    """The first call that trains, in words; empty if there is none."""
    codebase = [
        (call.lineno, name) for name, call in calls(file.tree)
        if name in TRAINS or name.rpartition(".")[2] in FITS or name.lower().endswith("trainer.train")
    ]  # fmt: skip
    if not codebase:
        return ""
    line, name = min(codebase)
    return f"calls {name}()" + ("" if file.is_notebook else f" in line {line}")


def imported_files(file: Source, sources: dict[str, Source]) -> list[str]:
    """The files of the repository that this one imports, directly or through others."""
    reached: list[str] = []
    queue = [file]
    while queue:
        current = queue.pop()
        for path in _imports(current, sources):
            if path != file.path and path not in reached:
                reached.append(path)
                queue.append(sources[path])
    return reached


def _imports(file: Source, sources: dict[str, Source]) -> list[str]:
    folder = PurePosixPath(file.path).parent
    names: list[tuple[str, list[str]]] = []
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Import):
            names += [(name.name, []) for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            around = folder
            for _ in range(node.level - 1):
                around = around.parent
            before = ".".join(around.parts) + "." if node.level and around.parts else ""
            names.append((before + (node.module or ""), [name.name for name in node.names]))
    codebase = []
    for module, members in names:
        for base in ("", f"{folder.as_posix()}/" if folder.parts else "", "src/"):
            at = base + module.strip(".").replace(".", "/")
            options = [f"{at}.py", f"{at}/__init__.py", *(f"{at}/{member}.py" for member in members)]
            codebase += [path for path in options if path in sources]
    return list(dict.fromkeys(codebase))
