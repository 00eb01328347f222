"""Offline runs of Weights & Biases: one for each trained model, and one for each move of a stage.

What was written whole, and what was uploaded, stands in `written.jsonl`. A run that does not, because a sync was
cut short, is deleted and written anew.
"""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import wandb
from history import History, Trained

SETTINGS = wandb.Settings(  # the record says which machine and code made the model: not this one
    mode="offline",
    console="off",
    disable_git=True,
    save_code=False,
    silent=True,
    x_disable_meta=True,
    x_disable_stats=True,
)


class Runs:
    def __init__(self, history: History, folder: Path) -> None:
        self.history = history
        self.folder = folder
        self.log = folder / "written.jsonl"
        lines = self.log.read_text(encoding="utf-8").splitlines() if self.log.is_file() else []
        self.written = [json.loads(line) for line in lines]

    def write_missing(self) -> Iterator[str]:
        """Says of each run what it is, once it is written: models first, then the stages."""
        known = {entry["run"] for entry in self.written if "run" in entry}
        for one in self.history.trained:
            if (name := _id(one.name)) not in known:
                self._write(name, one, [one.name] if one.tag else [])
                self.note(run=name)
                yield one.name
        versions = {one.name: one for one in self.history.trained if one.tag}
        last = {entry["stage"]: entry["version"] for entry in self.written if "stage" in entry}
        for stage, version in sorted(self.history.stages.items()):
            if version in versions and last.get(stage) != version:
                moves = sum(entry.get("stage") == stage for entry in self.written)
                name = f"{_id(stage)}-{moves + 1}"
                self._write(name, versions[version], [version, stage])
                self.note(run=name, stage=stage, version=version)
                yield f"{stage}: {version}"

    def waiting(self) -> dict[str, Path]:
        """Runs that are not uploaded yet, in the order in which they were written."""
        there = {entry["uploaded"] for entry in self.written if "uploaded" in entry}
        names = [entry["run"] for entry in self.written if "run" in entry]
        found = {name: self._folder(name) for name in names if name not in there}
        return {name: folder for name, folder in found.items() if folder}

    def _write(self, name: str, one: Trained, aliases: list[str]) -> None:
        """The same model again is the same artifact: W&B moves the aliases to it."""
        if begun := self._folder(name):
            shutil.rmtree(begun)
        made = one.record
        with wandb.init(
            dir=self.folder,
            project=self.history.model,
            id=name,
            name=one.name if len(aliases) < 2 else f"{aliases[1]}: {one.name}",
            job_type="promote" if len(aliases) > 1 else "train",
            tags=["version" if one.tag else "rejected"],
            notes=made["description"],
            config={**made["parameters"], "lineage": lineage(one)},
            settings=SETTINGS,
        ) as run:
            run.summary.update(dict(numbers(one)))
            if aliases:
                with TemporaryDirectory(prefix="wandb-") as folder:
                    self.history.put_model(one, Path(folder))
                    model = wandb.Artifact(
                        self.history.model, "model", made["description"], lineage(one)
                    )
                    model.add_dir(folder)
                    run.log_artifact(model, aliases=[alias.replace("/", "-") for alias in aliases])

    def note(self, **entry: str) -> None:
        """All or nothing, so that a line is never cut short."""
        self.written.append(entry)
        new = self.log.with_suffix(".new")
        new.write_text("".join(f"{json.dumps(one)}\n" for one in self.written), encoding="utf-8")
        new.replace(self.log)

    def _folder(self, name: str) -> Path | None:
        return next(self.folder.glob(f"wandb/offline-run-*_*-{name}"), None)


def lineage(one: Trained) -> dict[str, Any]:
    """Where the model is from; W&B's own arrows need its server, which offline runs cannot ask."""
    made = one.record
    return {
        "tag": one.tag,
        "code": made["code"]["commit"],
        "data": {file["path"]: file["md5"] for file in made["data"]},
        "environment": made["environment"]["files"],
        "run": made["trigger"]["run"],
        "closed_by": [gate["name"] for gate in made["gates"] if gate["status"] != "pass"],
    }


def numbers(one: Trained) -> Iterator[tuple[str, float]]:
    """Each figure, and where it has an interval its ends."""
    for path, figure in one.figures.items():
        yield path, figure["value"]
        for end in ("low", "high"):
            if figure[end] is not None:
                yield f"{path}.{end}", figure[end]


def _id(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower())
