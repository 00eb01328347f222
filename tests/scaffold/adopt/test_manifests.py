"""Repositories whose packages Poetry or conda declares."""

import json
from pathlib import Path
from typing import Any

import pytest
from mlops_new.adopt.read import manifests

from tests.conftest import Once, must
from tests.scaffold.adopt import repositories
from tests.scaffold.adopt.adoptions import OFFLINE, warm

TRAIN = (
    "import packaging\n\n\nclass Mean:\n    def fit(self, rows):\n        return self\n\n\n"
    "rows = open('rows.txt').read()\nMean().fit(rows)\nopen('model.json', 'w').write(packaging.__version__)\nprint('mae = 1')\n"
)


@pytest.mark.parametrize(
    ("poetrys", "pips"),
    [
        ("*", ""), ("1.2.3", "==1.2.3"), ("1.2.*", "==1.2.*"), (">=1.2, <2", ">=1.2,<2"), ("!= 1.5", "!=1.5"),
        ("^1.2.3", ">=1.2.3,<2"), ("^0.2.3", ">=0.2.3,<0.3"), ("^0.0.3", ">=0.0.3,<0.0.4"), ("^0", ">=0,<1"),
        ("^0.0", ">=0.0,<0.1"), ("^2.0a1", ">=2.0a1,<3"), ("~1.2.3", ">=1.2.3,<1.3"), ("~1.2", ">=1.2,<1.3"), ("~1", ">=1,<2"),
        ("^1 || ^2", None), ("latest", None),
    ],
)  # fmt: skip
def test_a_version_of_poetrys(poetrys: str, pips: str | None) -> None:
    assert manifests.pip_specifier(poetrys) == pips


def test_what_poetry_declares() -> None:
    table: dict[str, Any] = {
        "python": "^3.11",
        "numpy": "^1.26",
        "polars": {"version": ">=1", "extras": ["excel"], "markers": 'sys_platform == "linux"'},
        "ours": {"git": "https://github.com/acme/ours.git", "tag": "v1"},
        "beside": {"path": "../beside", "develop": True},
        "torch": "^1 || ^2",
        "plots": {"version": "*", "optional": True},
        "scipy": [{"version": "^1", "python": "<3.12"}, {"version": "^2"}],
    }
    lock = '[[package]]\nname = "numpy"\nversion = "1.26.4"\n[[package]]\nname = "ours"\nversion = "1"\n[package.source]\ntype = "git"\n'
    found = manifests.from_poetry(table, lock)
    assert found.requires == (
        "numpy>=1.26,<2",
        'polars[excel]>=1; sys_platform == "linux"',
        "ours @ git+https://github.com/acme/ours.git@v1",
        "torch",
        "scipy",
    )
    assert found.python == ">=3.11,<4"
    assert found.left_out == (
        "beside (the path ../beside, which only this machine has)",
        "torch (its version '^1 || ^2', which pip has no words for)",
        "plots (optional)",
        "scipy (its version depends on the system, and is left to the resolver)",
    )
    assert found.locked == ("numpy==1.26.4",)
    assert manifests.from_poetry(table, "not TOML [").locked == ()


def test_what_conda_declares() -> None:
    listed = [
        "python=3.11",
        "numpy=1.26=py311_0",
        "conda-forge::scikit-learn>=1.4,<2",
        "pandas 2.2.*",
        "pytorch=2.4",
        "scipy=1.11|1.12",
        "cudatoolkit=12",
        "pip",
        {"pip": ["wandb==0.18", "-r more.txt", "joblib"]},
    ]
    imported = ["joblib", "numpy", "pandas", "polars", "scikit-learn", "scipy", "torch"]
    found = manifests.from_conda(listed, imported)
    assert found.requires == (
        "numpy==1.26",
        "scikit-learn>=1.4,<2",
        "pandas==2.2.*",
        "torch==2.4.*",
        "scipy",
        "wandb==0.18",
        "joblib",
        "polars",
    )
    assert found.python == "==3.11.*"
    assert found.left_out == (
        "the version '=1.11|1.12' of scipy, which pip has no words for",
        "cudatoolkit (nothing imports it)",
        "-r more.txt (not a package)",
    )


def adopted(mlops_new: Path, root: Path) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(must([mlops_new, "adopt", "--json"], root, **OFFLINE))
    return said


@pytest.mark.parametrize(
    "locked", ["0.0.1", ""], ids=["a lock that DVC excludes", "the version in the cache"]
)
def test_a_project_of_poetrys_trains(locked: str, mlops_new: Path, once: Once, tmp_path: Path) -> None:
    pins = warm(once).splitlines()
    (cached,) = [line.partition("==")[2].split()[0] for line in pins if line.startswith("packaging==")]
    files = {
        "pyproject.toml": '[tool.poetry]\nname = "mean"\n[tool.poetry.dependencies]\npython = ">=3.11"\n'
        'packaging = "*"\nbeside = { path = "../beside" }\n',
        "poetry.lock": f'[[package]]\nname = "packaging"\nversion = "{locked or cached}"\n',
    }
    root = repositories.small(tmp_path / "mean", TRAIN, files)
    said = adopted(mlops_new, root)
    assert said["packages"].startswith("pyproject.toml, as Poetry reads it with the versions of poetry.lock")
    assert (root / "model.json").read_text() == cached
    text = (root / "mlops-requirements.txt").read_text()
    assert ("# not at the versions of poetry.lock" in text) == bool(locked)
    assert any("Not taken from pyproject.toml: beside (the path ../beside" in note for note in said["notes"])
    command = text.splitlines()[0].partition("Anew: ")[2]
    must(["sh", "-c", command], root, **OFFLINE)
    again = (root / "mlops-requirements.txt").read_text()
    assert f"packaging=={cached}\n" in again


def test_a_project_of_condas_trains(mlops_new: Path, once: Once, tmp_path: Path) -> None:
    warm(once)
    conda = "name: mean\nchannels: [conda-forge]\ndependencies:\n  - python>=3.11\n  - packaging>=20\n  - cudatoolkit=12\n"
    root = repositories.small(tmp_path / "mean", TRAIN, {"environment.yml": conda})
    said = adopted(mlops_new, root)
    assert (root / "requirements.txt").read_text() == "packaging>=20\n"
    assert (root / "model.json").exists()
    assert [note.partition(". ")[0] for note in said["notes"] if "Not taken" in note] == [
        "Not taken from environment.yml: cudatoolkit (nothing imports it)"
    ]


def test_an_environment_that_is_no_yaml(mlops_new: Path, tmp_path: Path) -> None:
    root = repositories.small(tmp_path / "mean", TRAIN, {"environment.yml": "dependencies: [\n"})
    with pytest.raises(AssertionError, match=r"environment.yml is not YAML"):
        adopted(mlops_new, root)
