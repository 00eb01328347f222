"""What `mlops-kit` says of the versions, and the files of one: code from Git, model from DVC."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

FOREIGN = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")  # of this environment, not of the project's
CODE = ("pipeline", "data/schema.yaml")  # what `pipeline.predict` needs beside the model


class FilesMissing(Exception):
    """What a version is made of cannot be had."""


@dataclass(frozen=True)
class Trained:
    """A version, or a model that the gates rejected: that one has no tag."""

    name: str
    tag: str
    record: dict[str, Any]
    figures: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class History:
    model: str
    root: Path
    dvc: list[str]
    dvc_config: str  # of today: a version may be older than the remote that its model was pushed to
    cache: Path
    stages: dict[str, str]
    trained: list[Trained]
    unknown: list[str]  # versions that the kit did not make

    @classmethod
    def read(cls, file: Path) -> "History":
        told = json.loads(file.read_text(encoding="utf-8"))
        listed = [*told["versions"], *told["rejected"]]
        return cls(
            model=told["model"],
            root=Path(told["root"]),
            dvc=told["dvc"],
            dvc_config=told["dvc_config"],
            cache=Path(told["cache"]),
            stages=told["stages"],
            trained=[_trained(one) for one in listed if one["record"]],
            unknown=[one["version"] for one in listed if not one["record"]],
        )

    def put_files(self, version: Trained, into: Path) -> bool:
        """Puts what predicts into a folder. False where the version has no `pipeline/predict.py`."""
        names = self._git("ls-tree", "-r", "--name-only", version.tag, "--", *CODE).decode().split()
        if names:
            packed = self._git("archive", "--format=zip", version.tag, "--", *names)
            with zipfile.ZipFile(io.BytesIO(packed)) as archive:
                archive.extractall(into)
        for artifact in version.record["artifacts"]:
            self._put_artifact(version, artifact["path"], artifact["md5"], into / artifact["path"])
        return "pipeline/predict.py" in names

    def requirements(self, version: Trained) -> list[str]:
        """The project's own packages at the versions that the model was trained with."""
        try:
            lock = tomllib.loads(self._git("show", f"{version.tag}:uv.lock").decode())
        except FilesMissing:
            return []
        pinned = {one["name"]: one.get("version") for one in lock["package"]}
        own = [one for one in lock["package"] if "virtual" in one["source"]]
        needed = [need["name"] for one in own for need in one.get("dependencies", [])]
        return [f"{name}=={pinned[name]}" for name in needed]

    def _put_artifact(self, version: Trained, path: str, md5: str, to: Path) -> None:
        """From DVC's cache; else DVC brings it from the remote."""
        to.parent.mkdir(parents=True, exist_ok=True)
        objects = dict(self._objects(md5))
        if all(self._object(one).is_file() for one in objects.values()):
            for relative, one in objects.items():
                file = to / relative if relative else to
                file.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self._object(one), file)
        else:
            command = [*self.dvc, "get", "--quiet", "--force", "--rev", version.tag]
            command += ["--config", self.dvc_config, "--out", str(to)]
            self._run([*command, str(self.root), path])
        if (found := md5_of(to)) != md5:
            raise FilesMissing(f"{path} of {version.tag} was altered: md5 {found}, wanted {md5}")

    def _objects(self, md5: str) -> Iterator[tuple[str, str]]:
        """Each file by its path in the artifact, which is empty where it is a file itself."""
        listed = self._object(md5)
        if not md5.endswith(".dir") or not listed.is_file():
            yield "", md5
            return
        for entry in json.loads(listed.read_text(encoding="utf-8")):
            yield entry["relpath"], entry["md5"]

    def _object(self, md5: str) -> Path:
        return self.cache / "files/md5" / md5[:2] / md5[2:]

    def _git(self, *words: str) -> bytes:
        return self._run(["git", *words])

    def _run(self, command: list[str]) -> bytes:
        kept = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        done = subprocess.run(
            command,
            cwd=self.root,
            env=kept,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines()[-3:]
            raise FilesMissing(f"`{' '.join(command)}` failed: {' '.join(said)}")
        return done.stdout


def _trained(told: dict[str, Any]) -> Trained:
    name = told.get("version") or f"rejected {told['run']}"
    return Trained(name, told.get("tag", ""), told["record"], told["figures"])


def md5_of(path: Path) -> str:
    """As DVC 3 has it: of a file its bytes', of a folder that of its list, with `.dir`."""
    if path.is_dir():
        files = sorted((one.relative_to(path).as_posix(), one) for one in path.rglob("*"))
        listed = [{"md5": md5_of(one), "relpath": name} for name, one in files if one.is_file()]
        text = json.dumps(listed, sort_keys=True).encode()
        return hashlib.md5(text, usedforsecurity=False).hexdigest() + ".dir"
    with path.open("rb") as stream:
        new = partial(hashlib.md5, usedforsecurity=False)
        return hashlib.file_digest(stream, new).hexdigest()
