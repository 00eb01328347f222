"""What a mirror takes from DVC is hashed before it is copied to a server. Needs no server, and no tier's environment."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from mlops_kit.project.lock import file_md5, object_path

from tests.conftest import ROOT


@pytest.fixture(params=["mlflow", "wandb"])
def history(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module of a tier, as its environment imports it."""
    folder = ROOT / f"template/[[ registry_{request.param} ]]/registry/{request.param}"
    spec = importlib.util.spec_from_file_location("history", folder / "history.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "history", module)
    spec.loader.exec_module(module)
    return module


def put(history: ModuleType, cache: Path, md5: str, into: Path, dvc: str = "false") -> None:
    """The artifact `model` of a version, put into a folder."""
    facts: dict[str, Any] = {
        "model": "x",
        "root": cache,
        "dvc": ["sh", dvc],
        "dvc_config": "",
        "cache": cache,
    }
    facts |= {"stages": {}, "trained": []} | ({"unknown": []} if "unknown" in fields(history) else {})
    told = history.History(**facts)
    version = history.Trained("v0.1.0", "x@v0.1.0", {"artifacts": [{"path": "model", "md5": md5}]}, {})
    if hasattr(told, "put_model"):
        told.put_model(version, into)
    else:
        told._put_artifact(version, "model", md5, into / "model")


def fields(history: ModuleType) -> set[str]:
    return set(history.History.__dataclass_fields__)


@pytest.fixture
def cache(tmp_path: Path) -> tuple[Path, str]:
    """A cache that holds a folder, and the folder's md5."""
    model = tmp_path / "model"
    (model / "a").mkdir(parents=True)
    (model / "a/model.bin").write_text("model")
    (model / "schema").write_text("schema")
    md5, folder = file_md5(model), tmp_path / "cache"
    files = sorted(path for path in model.rglob("*") if path.is_file())
    listed = [{"md5": file_md5(path), "relpath": path.relative_to(model).as_posix()} for path in files]
    for name, text in [(file_md5(path), path.read_text()) for path in files] + [(md5, json.dumps(listed))]:
        object_path(folder, name).parent.mkdir(parents=True, exist_ok=True)
        object_path(folder, name).write_text(text)
    return folder, md5


def test_what_is_as_the_record_says_is_taken(
    history: ModuleType, cache: tuple[Path, str], tmp_path: Path
) -> None:
    folder, md5 = cache
    put(history, folder, md5, tmp_path / "into")
    assert file_md5(tmp_path / "into/model") == md5


def test_an_altered_object_of_the_cache_is_refused(
    history: ModuleType, cache: tuple[Path, str], tmp_path: Path
) -> None:
    folder, md5 = cache
    object_path(folder, file_md5(tmp_path / "model/a/model.bin")).write_text("evil")
    with pytest.raises(history.FilesMissing, match=rf"model of x@v0\.1\.0 was altered: md5 .*, wanted {md5}"):
        put(history, folder, md5, tmp_path / "into")


def test_what_dvc_brings_altered_is_refused(history: ModuleType, tmp_path: Path) -> None:
    dvc = tmp_path / "dvc.sh"
    dvc.write_text('while [ "$1" != --out ]; do shift; done; echo evil > "$2"\n')
    with pytest.raises(history.FilesMissing, match=r"model of x@v0\.1\.0 was altered"):
        put(history, tmp_path, "0" * 32, tmp_path / "into", str(dvc))
