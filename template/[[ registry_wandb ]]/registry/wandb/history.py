"""What `mlops-kit` says of the versions, and the model of one, from DVC."""

import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

FOREIGN = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")  # of this environment, not of the project's


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

    @classmethod
    def read(cls, file: Path) -> "History":
        told = json.loads(file.read_text(encoding="utf-8"))
        listed = [one for one in (*told["versions"], *told["rejected"]) if one["record"]]
        return cls(
            model=told["model"],
            root=Path(told["root"]),
            dvc=told["dvc"],
            dvc_config=told["dvc_config"],
            cache=Path(told["cache"]),
            stages=told["stages"],
            trained=[_trained(one) for one in listed],
        )

    def put_model(self, version: Trained, into: Path) -> None:
        """From DVC's cache; else DVC brings it from the remote."""
        for artifact in version.record["artifacts"]:
            to = into / artifact["path"]
            to.parent.mkdir(parents=True, exist_ok=True)
            if (objects := self._objects(artifact["md5"])) is None:
                self._get(version.tag, artifact["path"], to)
            else:
                for relative, found in objects.items():
                    file = to / relative if relative else to
                    file.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(found, file)
            if (md5 := md5_of(to)) != artifact["md5"]:
                says = f"md5 {md5}, wanted {artifact['md5']}"
                raise FilesMissing(f"{artifact['path']} of {version.tag} was altered: {says}")

    def _objects(self, md5: str) -> dict[str, Path] | None:
        """Each file by its path in the artifact, empty where it is a file itself; None where one is missing."""
        listed = self._object(md5)
        if not listed.is_file():
            return None
        if not md5.endswith(".dir"):
            return {"": listed}
        entries = json.loads(listed.read_text(encoding="utf-8"))
        found = {entry["relpath"]: self._object(entry["md5"]) for entry in entries}
        return found if all(file.is_file() for file in found.values()) else None

    def _object(self, md5: str) -> Path:
        return self.cache / "files/md5" / md5[:2] / md5[2:]

    def _get(self, tag: str, path: str, to: Path) -> None:
        kept = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        command = [*self.dvc, "get", "--quiet", "--force", "--rev", tag]
        command += ["--config", self.dvc_config, "--out", str(to)]
        done = subprocess.run(
            [*command, str(self.root), path],
            cwd=self.root,
            env=kept,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            said = " ".join(done.stderr.strip().splitlines()[-3:])
            raise FilesMissing(f"{path} of {tag} cannot be had: {said}")


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
