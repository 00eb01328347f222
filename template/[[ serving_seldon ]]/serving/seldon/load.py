"""A tree of files -> the core that answers: verified, both paths compared, warm."""

import hashlib
from importlib import import_module
from pathlib import Path

import yaml

from serving.seldon.core import Core, Function
from serving.seldon.integrity import Refusal, check_artifacts, check_libraries
from serving.seldon.predictions_log import PredictionsLog


def load(root: Path, name: str, version: str, predict: str, log: Path | None = None) -> Core:
    """The model of the tree at `root`, checked, both paths compared, and warm. Raises Refusal.

    `predict` is MODULE:FUNCTION, imported from `root`, which must be the working directory.
    """
    hashes = check_artifacts(root)
    check_libraries(root)
    core = Core(name, version or _version(root, hashes), _function(predict))
    if (root / "data/schema.yaml").is_file() and (root / "pipeline/schema.py").is_file():
        _open_door(core, root)
    else:
        core.slow_because = "not a pipeline of mlops-new"
    for row in core.probes:  # warm: caches and code paths
        core.predict([row])
    core.answered = 0
    if log:
        core.log = _log(root, log)
    return core


def _open_door(core: Core, root: Path) -> None:
    """The checks of data/schema.yaml, and the fast path, for a pipeline of mlops-new."""
    # an adopted repository has none of the three modules
    schemas, doors, probes = map(
        import_module, ("pipeline.schema", "serving.seldon.door", "serving.seldon.probes")
    )
    try:
        core.schema = schemas.load()
        core.door = doors.Door(core.schema)
        core.probes = probes.rows(root, core.schema, core.door)
        core.fast, core.slow_because = probes.fast_path(core)
    except schemas.DataError as error:
        raise Refusal(str(error)) from error


def _version(root: Path, hashes: dict[str, str]) -> str:
    """The model by its bytes, as `pipeline.predict` names it in the log."""
    model = root / "model/model.joblib"
    if model.is_file():
        return f"md5:{hashlib.md5(model.read_bytes()).hexdigest()}"
    return f"md5:{next(iter(hashes.values()), '')}"


def _function(named: str) -> Function:
    module, _, name = named.partition(":")
    try:
        function: Function = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise Refusal(
            f"{named} cannot be imported: {error}. `serving.predict` of mlops.yaml names MODULE:FUNCTION, "
            "which takes a list of rows and returns a list of answers."
        ) from error
    return function


def _log(root: Path, folder: Path) -> PredictionsLog:
    """With `predictions_log` of params.yaml: masked columns, and how long files are kept."""
    params = root / "params.yaml"
    content = yaml.safe_load(params.read_text(encoding="utf-8")) if params.is_file() else {}
    settings = (content or {}).get("predictions_log") or {}
    return PredictionsLog(folder, settings.get("masked") or [], settings.get("keep_days") or 90)
