"""A repository with a pipeline, made of Git alone; with DVC where a test asks for it."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mlops_kit.project import commits
from mlops_kit.project.lock import file_md5
from mlops_kit.project.repository import Repository

from tests.conftest import ROOT, SECONDS, Done, Once, must, of_a_process, run
from tests.kit import forking
from tests.kit.builders import a_record

MLOPS = """\
model: flights
environment: [uv.lock]
metrics: metrics.json
"""
FILES = {
    "mlops.yaml": MLOPS,
    "uv.lock": "polars 1.0\n",
    "params.yaml": "data: data/raw.csv\nseed: 1\ntrain:\n  learning_rate: 0.1\n  depth: 3\n",
    "prepare.sh": "sort $1 > prepared.csv\n",
    "lib/train.sh": "wc -l prepared.csv > model.txt\n",
    "data/raw.csv.dvc": "outs:\n- md5: 5d41402abc4b2a76b9719d911017c592\n  size: 5\n  hash: md5\n  path: raw.csv\n",
    "data/.gitignore": "/raw.csv\n",
    ".gitignore": "/.mlops/\n/prepared.csv\n/model.txt\n",
    "dvc.yaml": """\
stages:
  prepare:
    cmd: sh prepare.sh ${data}
    deps: ["${data}", prepare.sh]
    outs: [prepared.csv]
  train:
    cmd: sh lib/train.sh
    deps: [prepared.csv, lib]
    params: [seed, train]
    outs: [model.txt]
  report:
    cmd: cat model.txt
    deps: [model.txt]
""",
}


@dataclass(frozen=True)
class Small:
    root: Path

    @property
    def repository(self) -> Repository:
        return Repository(self.root)

    def git(self, *words: str) -> str:
        return must(["git", *words], self.root)

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def edit(self, path: str, old: str, new: str) -> None:
        text = (self.root / path).read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {path}"
        self.write(path, text.replace(old, new))

    def commit(self, message: str = "Change") -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD").strip()

    def lock(self) -> str:
        """As DVC writes it for the files that are here."""
        md5 = {path: file_md5(self.root / path) for path in ("prepare.sh", "lib")}
        return f"""\
schema: '2.0'
stages:
  prepare:
    cmd: sh prepare.sh data/raw.csv
    deps:
    - {{path: data/raw.csv, hash: md5, md5: 5d41402abc4b2a76b9719d911017c592, size: 5}}
    - {{path: prepare.sh, hash: md5, md5: {md5["prepare.sh"]}, size: 1}}
    outs:
    - {{path: prepared.csv, hash: md5, md5: aaaa, size: 5}}
  train:
    cmd: sh lib/train.sh
    deps:
    - {{path: lib, hash: md5, md5: {md5["lib"]}, size: 1, nfiles: 1}}
    - {{path: prepared.csv, hash: md5, md5: aaaa, size: 5}}
    params:
      params.yaml:
        seed: 1
        train: {{learning_rate: 0.1, depth: 3}}
    outs:
    - {{path: model.txt, hash: md5, md5: bbbb, size: 5}}
  report:
    cmd: cat model.txt
    deps:
    - {{path: model.txt, hash: md5, md5: bbbb, size: 5}}
"""

    def tag(self, name: str, **files: str) -> str:
        """A version as `register` makes it: a child of HEAD that no branch has, with an annotated tag."""
        record = a_record(self.repository.commit(), name, model="flights").text()
        held = {"dvc.lock": self.lock(), "metrics.json": "{}\n", "record.json": record, **files}
        content = {path: text.encode() for path, text in held.items()}
        made = commits.commit(self.repository, self.repository.commit(), content, f"Version {name}")
        self.git("tag", "--annotate", "--message", name, f"flights@{name}", made)
        return made

    def kit(self, *words: object, **environment: str) -> Done:
        return kit(self.root, *words, **environment)


def small(root: Path, **files: str) -> Small:
    """A repository with one commit; `files` are written instead of or beside FILES."""
    root.mkdir(parents=True)
    made = Small(root)
    for path, text in {**FILES, **files}.items():
        made.write(path, text)
    made.git("init", "--quiet")
    made.commit("Start")
    return made


def with_origin(one: Small) -> Path:
    """A bare remote that holds main."""
    bare = one.root.parent / f"{one.root.name}.git"
    must(["git", "init", "--quiet", "--bare", "--initial-branch=main", bare], one.root)
    one.git("remote", "add", "origin", str(bare))
    one.git("push", "--quiet", "origin", "main")
    return bare


def clone(bare: Path, to: Path, *options: str) -> Small:
    must(["git", "clone", "--quiet", *options, bare.as_uri(), to], bare)
    return Small(to)


def kit(root: Path, *words: object, **environment: str) -> Done:
    """The command as a process, from the source tree."""
    actions = ROOT / "actions"
    if forking.can_run(environment):
        around = of_a_process(PYTHONPATH=str(actions), **environment)
        return Done(*forking.run([str(word) for word in words], root, around, actions, SECONDS))
    return run([sys.executable, "-m", "mlops_kit", *words], root, PYTHONPATH=str(actions), **environment)


def started(root: Path, code: str) -> "subprocess.Popen[bytes]":
    """A process of the kit's, to be killed."""
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT / 'actions')!r})\n{code}"]
    return subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE)


def dvc(once: Once) -> Path:
    """DVC, at the version that the template pins."""

    def install(into: Path) -> None:
        must(["uv", "venv", "--quiet", into / "venv"], into)
        pins = ROOT / "template/constraints.txt"
        must(
            ["uv", "pip", "install", "--quiet", "--python", into / "venv", "--constraints", pins, "dvc"], into
        )

    return once("dvc-alone", install) / "venv/bin/dvc"


class Hub:
    """Keeps what GitHub would have been asked."""

    def __init__(self) -> None:
        self.open: dict[str, tuple[str, str]] = {}  # alarms by mark
        self.closed: list[str] = []
        self.pulls: dict[str, list[str]] = {}  # texts by branch

    def raise_alarm(self, mark: str, title: str, text: str) -> Any:
        self.open[mark] = (title, text)
        return SimpleNamespace(url=f"https://example.com/{mark}")

    def clear_alarm(self, mark: str, text: str) -> Any:
        if mark not in self.open:
            return None
        del self.open[mark]
        self.closed.append(mark)
        return SimpleNamespace(url=f"https://example.com/{mark}")

    def pull_request_in_place(self, branch: str, base: str, title: str, text: str) -> Any:
        self.pulls.setdefault(branch, []).append(f"{base}: {title}\n{text}")
        return SimpleNamespace(url="https://example.com/pull/1")


def github(monkeypatch: pytest.MonkeyPatch) -> Hub:
    """Puts a stub in the place of GitHub."""
    hub = Hub()
    monkeypatch.setattr("mlops_kit.forge.github.connect", lambda repository: hub)
    return hub
