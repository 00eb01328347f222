"""Obstacles to making the same model again, as far as the code shows them."""

import ast
import builtins
import itertools
import re
import symtable
from dataclasses import dataclass

from mlops_new.adopt.read.file_uses import FileUse, calls
from mlops_new.adopt.read.source import Cell, Source

ABSOLUTE = re.compile(
    r"^(?:/(?:home|Users|mnt|media|data|content|kaggle|srv|opt|tmp|root)/|~/|[A-Za-z]:[\\/])"
)
SEEDS = ("seed", "manual_seed", "set_seed", "seed_everything", "set_random_seed")
WITH_STATE = re.compile(
    r"(?:^|\.)(?:train_test_split|ShuffleSplit|StratifiedShuffleSplit|shuffle|resample|"
    r"(?:RandomForest|ExtraTrees|GradientBoosting|Bagging|AdaBoost)(?:Classifier|Regressor)|"
    r"DecisionTree(?:Classifier|Regressor)|MLP(?:Classifier|Regressor)|KMeans|SGD(?:Classifier|Regressor))$"
)
BY_GLOBAL = re.compile(
    r"^(?:np|numpy)\.random\.(?!seed|default_rng|RandomState)\w+$|^random\.(?!seed|Random)\w+$"
)
OF_IPYTHON = {"display", "get_ipython", "In", "Out", "exit", "quit", "_", "__", "___", "__file__", "__name__"}


@dataclass(frozen=True)
class Obstacle:
    """`where`: file, with line or cell; `do`: how to remove it."""

    where: str
    what: str
    do: str


def find_obstacles(source: Source, uses: list[FileUse]) -> list[Obstacle]:
    """The obstacles in one file. Randomness is judged again by running it twice."""
    return [
        *_absolute(source),
        *_addresses(source, uses),
        *_unseeded(source),
        *_order(source),
        *_magics(source),
        *_hidden(source),
    ]


def _at(source: Source, node: ast.AST) -> str:
    return source.path if source.is_notebook else f"{source.path}:{getattr(node, 'lineno', 1)}"


def _absolute(source: Source) -> list[Obstacle]:
    return [
        Obstacle(
            _at(source, node),
            f"the absolute path {node.value!r} is there on one machine only",
            "Write it relative to the repository, with the file in it and under DVC.",
        )
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and ABSOLUTE.match(node.value)
        and len(node.value) < 300
        and "\n" not in node.value
    ]


def _addresses(source: Source, uses: list[FileUse]) -> list[Obstacle]:
    return [
        Obstacle(
            source.path if source.is_notebook else f"{source.path}:{use.line}",
            f"it reads {use.path}, which is outside of the repository and may change",
            f"Bring it in with a version: dvc import-url {use.path}",
        )
        for use in uses
        if use.is_address and use.how == "read"
    ]


def _unseeded(source: Source) -> list[Obstacle]:
    named = list(calls(source.tree))
    if any(name.rpartition(".")[2] in SEEDS for name, _ in named):
        return []
    obstacles = []
    for name, call in named:
        has_state = any(word.arg in ("random_state", "seed", None) for word in call.keywords)
        if WITH_STATE.search(name) and not has_state:
            do = "Give it random_state=0."
        elif BY_GLOBAL.match(name) or (name.endswith("default_rng") and not call.args and not has_state):
            do = "Set the seed first: np.random.seed(0), or default_rng(0)."
        else:
            continue
        obstacles.append(Obstacle(_at(source, call), f"{name} draws at random and has no seed", do))
    return obstacles


def _order(source: Source) -> list[Obstacle]:
    """Cells that did not run in the order of the notebook, or not at all."""
    ran = [(cell.number, cell.ran) for cell in source.cells if cell.code.strip()]
    counts = [count for _, count in ran if count is not None]
    obstacles = []
    if counts != sorted(counts):
        pairs = [(number, count) for number, count in ran if count is not None]
        late = next(after[0] for before, after in itertools.pairwise(pairs) if after[1] < before[1])
        what = f"its cells were run out of order: [{', '.join(map(str, counts))}], first at code cell {late}"
        obstacles.append(Obstacle(source.path, what, "Restart the kernel, run all cells, and save."))
    never = [number for number, count in ran if count is None]
    if counts and never:
        what = f"code cell {', '.join(map(str, never))} was not run when the others were"
        obstacles.append(Obstacle(source.path, what, "Restart the kernel, run all cells, and save."))
    return obstacles


def _magics(source: Source) -> list[Obstacle]:
    return [
        Obstacle(
            f"{source.path}, code cell {cell.number}",
            f"`{magic}` changes more than the notebook says",
            "Put packages into requirements.txt and data under DVC, and take the line out.",
        )
        for cell in source.cells
        for magic in cell.magics
        if magic.startswith(("!", "%pip", "%conda", "%run", "%store"))
    ]


def _hidden(source: Source) -> list[Obstacle]:
    """Names that a cell uses although no cell before it defines them: they came from a session that is gone."""
    if any(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in ast.walk(source.tree)):
        return []
    defined = {cell.number: _names(cell) for cell in source.cells}
    available = set(dir(builtins)) | OF_IPYTHON
    obstacles = []
    for cell in source.cells:
        defines, needs = defined[cell.number]
        for name in sorted(needs - available - defines):
            later = [
                number for number, (names, _) in defined.items() if number > cell.number and name in names
            ]
            where = f"code cell {later[0]} makes" if later else "no cell makes"
            what = f"it uses `{name}`, which {where}"
            at = f"{source.path}, code cell {cell.number}"
            obstacles.append(Obstacle(at, what, "Move or bring back the cell that makes it."))
        available |= defines
    return obstacles


def _names(cell: Cell) -> tuple[set[str], set[str]]:
    """The names that a cell defines and those that it needs, at its top level."""
    try:
        table = symtable.symtable(cell.code, "cell", "exec")
    except SyntaxError:
        return set(), set()
    symbols = table.get_symbols()
    defined = {one.get_name() for one in symbols if one.is_assigned() or one.is_imported()}
    return defined, {one.get_name() for one in symbols if one.is_referenced()} - defined
