"""`mlops.yaml`, the contract of a repository with the kit, and the fragments of `mlops.d/`."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from mlops_kit import HOME, VERSION
from mlops_kit.base.documents import read
from mlops_kit.base.errors import KitError
from mlops_kit.base.strict import Strict
from mlops_kit.project.sections import (
    Alerts,
    AnyGate,
    Commands,
    Hook,
    Monitoring,
    NewData,
    Predictions,
    PullRequest,
    Registry,
    Retrain,
    Rows,
    Sample,
    Serving,
    Signing,
)

FILE = "mlops.yaml"
REFERENCE = f"{HOME}/blob/v{VERSION}/docs/reference/mlops.yaml.md"
FRAGMENTS = "mlops.d"
NAME = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
STAGE = r"^[a-zA-Z0-9]([a-zA-Z0-9_/-]*[a-zA-Z0-9])?$"  # as GTO wants it


class Contract(Strict):
    """What operates this repository looks here for names, commands and results."""

    model: Annotated[str, Field(pattern=NAME)]
    """Name of the model: versions are the Git tags MODEL@vX.Y.Z."""
    kit: str | None = None
    """Version of the kit that this file was written for."""
    commands: Commands = Commands()
    environment: list[str] = []
    """Files that pin what runs, for instance uv.lock; their hash is the environment's version."""
    artifacts: list[str] = []
    """What is served: files or folders that the training makes."""
    metrics: str
    """JSON, YAML or TOML; numbers, or mappings with value, low, high and n."""
    predictions: Predictions | None = None
    rows: Rows | None = None
    sample: Sample | None = None
    gates: dict[str, AnyGate] = {}
    new_data: NewData = NewData()
    monitoring: Monitoring = Monitoring()
    alerts: Alerts = Alerts()
    stages: list[Annotated[str, Field(pattern=STAGE)]] = ["staging"]
    """Where `promote` may put a version, beside production."""
    promotion: Literal["open", "approved"] = "open"
    """Approved: only the workflow `promote` changes a stage, after the approval of its environment; `promote` elsewhere
    starts it."""
    signing: Signing = Signing()
    retrain: Retrain | None = None
    pull_request: PullRequest = PullRequest()
    lock: Literal["tagged", "committed"] = "tagged"
    """Committed: dvc.lock on a pull request must be up to date, and `fresh` is red when it is not."""
    hooks: dict[Hook, dict[str, str]] = {}
    """By name, commands of tiers; usually in mlops.d/."""
    registry: Registry | None = None
    serving: Serving | None = None
    train_with: str | None = None
    """Run instead of `dvc repro`, for instance on managed machines; it leaves results and a dvc.lock as that does."""

    @property
    def key(self) -> str:
        """Column that tells one row from another, by which labels are joined."""
        return self.rows.key if self.rows else "key"


def load(root: Path) -> Contract:
    """Raises KitError naming file, key, value and what was expected."""
    path = root / FILE
    if not path.is_file():
        here = Path.cwd() / FILE
        if here.is_file() and here.is_relative_to(root):
            raise KitError(
                f"{here.relative_to(root)} is not at the root of its Git repository, {root}.",
                f"Make {here.parent.name} a Git repository of its own (`git init`), or move {FILE} and the pipeline to "
                f"{root}.",
            )
        raise KitError(
            f"{path} is not there: nothing says what this repository's model is.",
            f"Run at the root of a repository with {FILE}, or write one with `model:` and `metrics:`.",
        )
    fragments = sorted((root / FRAGMENTS).glob("*.y*ml"))
    return whole(read(path), {f"{FRAGMENTS}/{fragment.name}": read(fragment) for fragment in fragments})


def whole(content: dict[str, Any], fragments: dict[str, dict[str, Any]]) -> Contract:
    """The contract of mlops.yaml and the fragments by their names, which `content` takes in."""
    origin: dict[tuple[str, ...], str] = {}
    _note(content, FILE, (), origin)
    for name, fragment in fragments.items():
        _merge(content, fragment, name, (), origin)
    return parse(content, origin)


def parse(content: dict[str, Any], origin: dict[tuple[str, ...], str] | None = None) -> Contract:
    try:
        return Contract.model_validate(content)
    except ValidationError as error:
        lines = [_in_words(problem, origin or {}) for problem in error.errors()]
        raise KitError("\n".join(lines), f"All keys: {REFERENCE}") from error


def _note(value: Any, file: str, at: tuple[str, ...], origin: dict[tuple[str, ...], str]) -> None:
    origin[at] = file
    if isinstance(value, dict):
        for key, inner in value.items():
            _note(inner, file, (*at, str(key)), origin)


def _merge(
    into: dict[str, Any],
    more: dict[str, Any],
    file: str,
    at: tuple[str, ...],
    origin: dict[tuple[str, ...], str],
) -> None:
    for key, value in more.items():
        key_path = (*at, str(key))
        if key not in into:
            into[key] = value
            _note(value, file, key_path, origin)
        elif isinstance(into[key], dict) and isinstance(value, dict):
            _merge(into[key], value, file, key_path, origin)
        else:
            raise KitError(
                f"{file}: {'.'.join(key_path)} is set already by {origin[key_path]}.",
                "A fragment adds, it does not change: remove the key from one of the two.",
            )


def _in_words(problem: Any, origin: dict[tuple[str, ...], str]) -> str:
    where = tuple(str(part) for part in problem["loc"])
    file = next((origin[where[:n]] for n in range(len(where), -1, -1) if where[:n] in origin), FILE)
    key = ".".join(where) or "the file"
    expected = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "missing":
        return f"{file}: {key} is missing."
    if problem["type"] == "extra_forbidden":
        from mlops_kit.project.known_keys import suggest

        meant = suggest(Contract, problem["loc"])
        return f"{file}: {key} is not a key that the kit knows (value {problem['input']!r}).{meant}"
    return f"{file}: {key} is {problem['input']!r}: {expected}."
