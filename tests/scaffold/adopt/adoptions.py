"""The three repositories after `mlops-new adopt`, made once for all workers; and the kit in them."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import ROOT, Done, Once, must, run
from tests.scaffold.adopt import repositories

OFFLINE = {"UV_OFFLINE": "1", "https_proxy": "http://127.0.0.1:1", "http_proxy": "http://127.0.0.1:1"}


@dataclass(frozen=True)
class Adopted:
    """`before`: a hash of each file as it was."""

    root: Path
    before: dict[str, str]
    said: dict[str, Any]

    @property
    def commands(self) -> dict[str, list[str]]:
        content = yaml.safe_load((self.root / "mlops.yaml").read_text("utf-8"))
        return {name: line.split() for name, line in content["commands"].items()}

    def dvc(self, *words: str) -> str:
        return must([*self.commands["dvc"], *words], self.root, **OFFLINE)

    def kit(self, *words: str) -> Done:
        command = [sys.executable, "-m", "mlops_kit", *words]
        return run(command, self.root, PYTHONPATH=str(ROOT / "actions"), **OFFLINE)


def warm(once: Once) -> str:
    """Puts the packages into uv's cache, the one time that there is a network. Their pins."""

    def fill(into: Path) -> None:
        (into / "in").write_text("\n".join(repositories.PACKAGES))
        must(
            ["uv", "pip", "compile", "--quiet", "--universal", "--no-header", "in", "--output-file", "pins"],
            into,
        )
        must(
            ["uv", "run", "--no-project", "--isolated", "--with-requirements", "pins", "python", "-c", ""],
            into,
        )

    return (once("adoptable-packages", fill) / "pins").read_text("utf-8")


def adopted(
    mlops_new: Path, once: Once, name: str, make: Callable[[Path], Path], folder: str, *words: str
) -> Adopted:
    """Do not change it: copy it."""
    warm(once)

    def fill(into: Path) -> None:
        root = make(into / folder)
        before = repositories.hashes(root)
        said = json.loads(must([mlops_new, "adopt", "--json", *words], root, **OFFLINE))
        (into / "about.json").write_text(json.dumps({"before": before, "said": said}))

    into = once(name, fill)
    about = json.loads((into / "about.json").read_text())
    return Adopted(into / folder, about["before"], about["said"])


def script(mlops_new: Path, once: Once) -> Adopted:
    return adopted(mlops_new, once, "adopted-script", repositories.script, "churn", "--name", "Leavers 2")


def notebooks(mlops_new: Path, once: Once) -> Adopted:
    return adopted(mlops_new, once, "adopted-notebooks", repositories.notebooks, "house prices")
