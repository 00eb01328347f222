"""A lock that another job made must be what DVC writes for dvc.yaml."""

import time
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from mlops_kit.base.errors import KitError
from mlops_kit.project import lock_check, resolve
from mlops_kit.project.lock import parse_lock, parse_pointer

from tests.kit.small_repository import FILES

MD5 = "5d41402abc4b2a76b9719d911017c592"


def honest() -> dict[str, Any]:
    def files(*paths: str) -> list[dict[str, Any]]:
        return [{"path": path, "hash": "md5", "md5": MD5, "size": 5} for path in paths]

    params = {"params.yaml": {"seed": 1, "train": {"learning_rate": 0.1, "depth": 3}}}
    stages = {
        "prepare": {
            "cmd": "sh prepare.sh data/raw.csv",
            "deps": files("data/raw.csv", "prepare.sh"),
            "outs": files("prepared.csv"),
        },
        "train": {
            "cmd": "sh lib/train.sh",
            "deps": files("lib", "prepared.csv"),
            "params": params,
            "outs": files("model.txt"),
        },
        "report": {"cmd": "cat model.txt", "deps": files("model.txt")},
    }
    return {"schema": "2.0", "stages": stages}


def problems(content: dict[str, Any]) -> list[str]:
    return lock_check.differences(parse_lock(yaml.safe_dump(content)), resolve.stages(FILES.get))


def test_an_honest_lock_has_no_differences() -> None:
    assert problems(honest()) == []


Stages = dict[str, dict[str, Any]]
LIES: dict[str, tuple[Callable[[Stages], object], str]] = {
    "a dependency left out": (lambda s: s["train"]["deps"].pop(0), "stage train: dependency lib is missing"),
    "a dependency more": (
        lambda s: s["train"]["deps"].append({"path": "/dev/zero", "md5": MD5}),
        "stage train: dependency /dev/zero that dvc.yaml does not have",
    ),
    "a stage more": (lambda s: s.update(evil={"cmd": "curl"}), "dvc.yaml has no stage evil"),
    "a stage left out": (lambda s: s.pop("report"), "stage report is missing"),
    "another command": (lambda s: s["train"].update(cmd="sh evil.sh"), "its command is not that of dvc.yaml"),
    "an output more": (
        lambda s: s["train"]["outs"].append({"path": "x", "md5": MD5}),
        "output x that dvc.yaml does not have",
    ),
    "an output outside": (
        lambda s: s["train"]["outs"].append({"path": "a/../../x", "md5": MD5}),
        "output a/../../x lies outside of the repository",
    ),
    "an output of Git's": (
        lambda s: s["train"]["outs"].append({"path": ".git/hooks/x", "md5": MD5}),
        "output .git/hooks/x lies outside of the repository",
    ),
    "an output without a hash": (lambda s: s["train"]["outs"][0].update(md5="../../x"), "has no md5"),
    "parameters left out": (
        lambda s: s["train"].update(params={}),
        "parameter of params.yaml seed is missing",
    ),
    "a parameter more": (
        lambda s: s["train"]["params"]["params.yaml"].update(x=1),
        "parameter of params.yaml x that dvc.yaml does not have",
    ),
    "a file of parameters more": (
        lambda s: s["train"]["params"].update({"x.yaml": {"x": 1}}),
        "parameters of x.yaml that dvc.yaml does not name",
    ),
    "another output read than made": (
        lambda s: s["report"]["deps"][0].update(md5="0" * 32),
        "dependency model.txt is not the output that another stage made",
    ),
    "an entry twice": (
        lambda s: s["train"]["outs"].append({"path": "./model.txt", "md5": MD5}),
        "model.txt is listed twice",
    ),
    "an unknown key": (lambda s: s["train"].update(wdir="/"), "stage train has the key wdir"),
    "an unknown key of a file": (lambda s: s["train"]["outs"][0].update(repo="x"), "has the key repo"),
    "a folder's file outside": (
        lambda s: s["train"]["outs"][0].update(files=[{"relpath": "../../x", "md5": MD5}]),
        "has files outside of it",
    ),
    "a name of two lines": (lambda s: s.update({"x\n::error::": {"cmd": "x"}}), "no stage x ::error::"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_named(lie: str) -> None:
    change, says = LIES[lie]
    content = honest()
    change(content["stages"])
    assert says in "; ".join(problems(content))


@pytest.mark.parametrize(
    "text",
    [
        "stages: []",
        "stages: {1: {cmd: x}}",
        "stages: {s: {cmd: x, deps: [x]}}",
        "stages: {s: {cmd: x, deps: [{path: 3}]}}",
        "stages: {s: {cmd: x, outs: [{path: x, size: -1}]}}",
        "stages: {s: {cmd: x, outs: [{path: x, size: yes}]}}",
        "stages: {s: {cmd: x, params: [x]}}",
        "stages: {s: {cmd: x, params: {p: [x]}}}",
        "stages: {s: {}}",
        "stages: {s: }",
    ],
)
def test_what_is_no_lock_is_refused(text: str) -> None:
    with pytest.raises(KitError, match=r"dvc\.lock cannot be understood"):
        parse_lock(text)


@pytest.mark.parametrize(
    "text", ["outs: [x]", "outs: [{md5: x}]", "outs: [{path: 3}]", "outs: 3", "outs: {a: b}"]
)
def test_what_is_no_pointer_is_refused(text: str) -> None:
    with pytest.raises(KitError, match=r"x\.dvc cannot be understood"):
        parse_pointer(text, "x.dvc")


def test_many_entries_that_are_listed_twice_are_compared_in_time() -> None:
    entries = [{"path": f"a{place}", "md5": MD5} for place in (*range(30_000), 7)]
    text = "".join(f"    - {{path: {one['path']}, md5: {one['md5']}}}\n" for one in entries)
    lock = parse_lock(f"schema: '2.0'\nstages:\n  train:\n    cmd: x\n    outs:\n{text}")
    began = time.process_time()
    assert "stage train: a7 is listed twice" in lock_check.differences(lock, {})
    assert time.process_time() - began < 3  # comparing each with each takes ten
