"""What tests ask of a forge that holds the flights, and what they do to it."""

import json
from pathlib import Path
from typing import Any

from mlops_new.base import dvc_files

from tests.act.forge import Forge
from tests.act.remotes import Folder
from tests.conftest import must, python_of, without_latency

GREEN = {"train": "success", "register": "success"}
RED = {"train": "failure", "register": "success"}
CHECKS = {"lint": "success", "test": "success", "data": "success"}
DATA = "data/flights.parquet"
TOLD = """\
hooks:
  after_register:
    broken: sh -c 'exit 7'
    told: sh -c 'echo $MLOPS_VERSION $MLOPS_TAG $GITHUB_JOB >> "$REGISTERED"'
  after_promote:
    told: sh -c 'echo $MLOPS_STAGE $MLOPS_WAS $MLOPS_VERSION >> "$PROMOTED"'
registry:
  sync: sh -c 'cp "$MLOPS_HISTORY" "$MIRROR"'
"""


def record(forge: Forge, version: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(forge.show(f"flights@{version}:record.json"))
    return content


def events(forge: Forge) -> list[dict[str, Any]]:
    """Of all runs that were published."""
    listed = forge.git_bare("ls-tree", "-r", "--name-only", "mlops/runs", "events").splitlines()
    lines = "\n".join(forge.show(f"mlops/runs:{path}") for path in listed).splitlines()
    return [json.loads(line) for line in lines]


def rejected(forge: Forge) -> list[dict[str, Any]]:
    listed = forge.git_bare("ls-tree", "-r", "--name-only", "mlops/runs", "rejected").splitlines()
    return [json.loads(forge.show(f"mlops/runs:{path}")) for path in listed]


def merge(forge: Forge, path: str, old: str, new: str) -> str:
    """A commit on main that replaces what stands once in a file."""
    text = (forge.work / path).read_text("utf-8")
    assert text.count(old) == 1, f"{path} holds {text.count(old)} times: {old}"
    return forge.merge(f"Change {path}", {path: text.replace(old, new)})


def tell_files(forge: Forge) -> None:
    """A merge after which hooks write a file for a new version and one for a promotion, and a registry is a file."""
    forge.merge("Tell files and a registry", {"mlops.d/told.yaml": TOLD})
    forge.environment |= {name: str(told(forge, name)) for name in ("REGISTERED", "PROMOTED", "MIRROR")}


def told(forge: Forge, name: str) -> Path:
    return forge.bare.parent / name.lower()


def do_without_latency(forge: Forge) -> None:
    means = (forge.work / "mlops.yaml").read_text("utf-8")
    forge.merge("Do without latency", {"mlops.yaml": without_latency(means)})


def rows(forge: Forge, change: str, to: Path) -> Path:
    """The raw data, changed by an expression of polars over `f`."""
    code = f"import polars as pl; f = pl.read_parquet('{DATA}'); ({change}).write_parquet({str(to)!r})"
    must([python_of(forge.work), "-c", code], forge.work)
    return to


def new_pointer(forge: Forge, folder: Folder, change: str, to: Path) -> str:
    """Changed data, as somebody tracks and pushes it; the text of its pointer."""
    file = rows(forge, change, to / "flights.parquet")
    md5, text = dvc_files.pointer(file)
    folder.put(f"files/md5/{md5[:2]}/{md5[2:]}", file)
    return text


def data_files(folder: Folder) -> list[str]:
    """Without the run-cache, which remembers that there was nothing to do."""
    listed = folder.keys()
    return [key for key in listed if key.startswith("files/")]


def nothing_happened(forge: Forge, folder: Folder, kept: list[str]) -> None:
    assert list(forge.refs()) == ["flights@v0.1.0"]
    assert folder.keys() == kept
