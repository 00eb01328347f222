"""DVC 3.67 made `resolved/dvc.lock` from the files beside it: with variables, `foreach`, `matrix` and a working directory."""

from pathlib import Path

import pytest
from mlops_kit.project import lock_check, resolve
from mlops_kit.project.lock import parse_lock

HERE = Path(__file__).parent / "resolved"


def text(path: str) -> str | None:
    file = HERE / path
    return file.read_text(encoding="utf-8") if file.is_file() else None


def problems(dvc: str) -> list[str]:
    expected = resolve.stages(lambda path: dvc if path == "dvc.yaml" else text(path))
    return lock_check.differences(parse_lock(text("dvc.lock") or ""), expected)


def test_the_lock_is_what_dvc_made_of_dvc_yaml() -> None:
    assert len(parse_lock(text("dvc.lock") or "").stages) == 15
    assert problems(text("dvc.yaml") or "") == []


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("${train.names[1]}", "${train.names[0]}", "stage prepare: its command"),
        ("matrix: {m: [cnn, xgb]", "matrix: {m: [cnn]", "dvc.yaml has no stage grid@xgb"),
        ("n: 2}]\n    do", "n: 3}]\n    do", "stage places@1: its command"),
        ("${opts}", "${opts.in}", "stage options: its command"),
        ("a.b, c", "a.b", "parameter of more.json c that dvc.yaml does not have"),
        ('"pair-${key}"', '"pare-${key}"', "stage pairs@x: output pair-x that dvc.yaml does not have"),
    ],
)
def test_another_definition_is_another_lock(old: str, new: str, says: str) -> None:
    definition = text("dvc.yaml") or ""
    assert old in definition
    assert says in "; ".join(problems(definition.replace(old, new)))
