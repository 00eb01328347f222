"""The environment of replicas: the model's libraries as the lock pins them, and what the engine needs."""

import os
from pathlib import Path

import pytest
from mlops_kit.base.errors import KitError
from mlops_kit.base.processes import ProcessError
from mlops_kit.serving.environment import environment, python_version
from mlops_kit.serving.environment.conflicts import conflict

from tests.conftest import must
from tests.kit.serving.served_repository import PROJECT, UV_LOCK


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Pinned by a file of requirements; the engine asks for what does not go with it."""
    (tmp_path / "engine").mkdir()
    (tmp_path / "requirements.txt").write_text("six==1.4.1  # old\n")
    engine(tmp_path, 'requires-python = ">=3.11"\ndependencies = ["python-dateutil==2.9.0.post0"]')
    return tmp_path


def engine(project: Path, settings: str, constraints: str = "") -> None:
    (project / "engine/pyproject.toml").write_text(f'[project]\nname = "engine"\nversion = "0"\n{settings}\n')
    (project / "engine/constraints.txt").write_text(constraints)


def wanted(project: Path, *files: str, trained_with: str = "") -> environment.Wanted:
    return environment.wanted(project / "engine", project, files, trained_with)


def silent(_: str) -> None: ...


@pytest.mark.environment
def test_two_packages_that_do_not_go_together_are_named(project: Path) -> None:
    with pytest.raises(KitError) as error:
        environment.make(project, wanted(project, "requirements.txt"), project, silent)
    assert "python-dateutil and six exclude each other." in error.value.what
    assert "python-dateutil==2.9.0.post0 depends on six>=1.5" in error.value.what
    assert "requirements.txt pins six" in error.value.do
    assert list((project / environment.ENVIRONMENTS).iterdir()) == []  # nothing half-made stays


@pytest.mark.environment
def test_the_lock_wins_over_the_tested_versions(project: Path) -> None:
    (project / "requirements.txt").write_text("six==1.16.0\n")
    engine(project, 'dependencies = ["python-dateutil"]', "six==1.17.0\npython-dateutil==2.9.0.post0\n")
    asked = wanted(project, "requirements.txt")
    assert asked.constraints == "python-dateutil==2.9.0.post0\n"
    made = environment.make(project, asked, project, silent)
    assert sorted(one.name for one in made.glob("lib/*/site-packages/*.dist-info")) == [
        "python_dateutil-2.9.0.post0.dist-info",
        "six-1.16.0.dist-info",
    ]
    assert made.name == asked.name
    assert "/making-" not in (made / "bin/activate").read_text()
    must([made / "bin/python", "-c", "import dateutil"], project)
    before = made.stat().st_mtime_ns
    assert environment.make(project, asked, project, silent) == made
    assert made.stat().st_mtime_ns == before


def test_environments_that_no_server_uses_are_removed(tmp_path: Path) -> None:
    folders = {name: tmp_path / environment.ENVIRONMENTS / name for name in ("held", "old", "recent")}
    for folder in folders.values():
        (folder / "bin").mkdir(parents=True)
    held = environment.hold(folders["held"])
    for name in ("held", "old"):
        os.utime(folders[name], (0, 0))
    assert environment.remove_unused(tmp_path) == ["old"]
    assert [name for name, folder in folders.items() if folder.exists()] == ["held", "recent"]
    os.close(held)  # as when its server ends
    assert environment.remove_unused(tmp_path) == ["held"]
    environment.remove_unused(tmp_path / "nowhere")


def test_a_lock_of_uv_is_exported_without_development_tools(project: Path) -> None:
    (project / "pyproject.toml").write_text(PROJECT)
    (project / "uv.lock").write_text(UV_LOCK)
    asked = wanted(project, "requirements.txt", "uv.lock")
    assert (asked.libraries.strip(), asked.pinned_by) == ("", "uv.lock")
    assert asked.engine == "python-dateutil==2.9.0.post0\n"


@pytest.mark.parametrize("text", ["six\n", "six>=1\n", "six==1.*\n", "", "-r other.txt\n"])
def test_libraries_without_exact_versions(project: Path, text: str) -> None:
    (project / "requirements.txt").write_text(text)
    with pytest.raises(KitError, match=r"neither a uv.lock nor a requirements file with exact versions"):
        wanted(project, "requirements.txt")


def test_an_engine_that_is_not_there(project: Path) -> None:
    with pytest.raises(KitError, match="nothing says what the engine needs"):
        environment.wanted(project / "nowhere", project, ["requirements.txt"])


def test_a_python_that_the_engine_does_not_take(project: Path) -> None:
    engine(project, 'requires-python = ">=3.11,<3.13"')
    (project / ".python-version").write_text("3.13\n")
    with pytest.raises(KitError) as error:
        wanted(project, "requirements.txt")
    assert error.value.what.startswith(
        "The project runs on Python 3.13 (.python-version), and the engine on >=3.11,<3.13"
    )
    (project / ".python-version").write_text("3.12.4\n")
    assert wanted(project, "requirements.txt").python == "3.12.4"
    (project / ".python-version").unlink()
    (project / "pyproject.toml").write_text(PROJECT.replace(">=3.11", ">=3.13"))
    with pytest.raises(KitError, match=r"The project runs on Python >=3.13 \(pyproject.toml\)"):
        wanted(project, "requirements.txt")
    (project / "pyproject.toml").write_text(PROJECT)
    assert wanted(project, "requirements.txt").python == ">=3.11,>=3.11,<3.13"


def test_the_python_of_the_training_comes_first(project: Path) -> None:
    """A lock may hold another NumPy for each Python."""
    engine(project, 'requires-python = ">=3.11,<3.13"')
    (project / ".python-version").write_text("3.11\n")
    assert wanted(project, "requirements.txt", trained_with="3.12.4").python == "3.12"
    assert wanted(project, "requirements.txt", trained_with="3.14.0").python == "3.11"


@pytest.mark.parametrize(
    ("specifiers", "version", "fits"),
    [
        (">=3.11,<3.13", "3.12", True),
        (">=3.11,<3.13", "3.13", False),
        (">=3.11,<3.13", "3.12.9", True),
        (">=3.12.4", "3.12", True),
        (">3.12", "3.12", True),
        ("<=3.12", "3.11.9", True),
        ("==3.12.*", "3.12.4", True),
        ("==3.12.*", "3.11", False),
        ("!=3.12", "3.12", False),
        ("~=3.11", "3.14", True),
        ("~=3.11.2", "3.12", False),
        ("", "3.12", True),
    ],
)
def test_which_python_fits(specifiers: str, version: str, fits: bool) -> None:
    assert python_version.accepts(specifiers, version) is fits


SAYS = """\
error: No solution found when resolving dependencies
  cause: Because mlserver==1.7.1 depends on one of:
             fastapi>=0.88.0,<0.89.0
             fastapi>0.89.0,<0.116.0
         and you require fastapi==0.120.0, we can conclude that your requirements and mlserver==1.7.1 are incompatible.
"""


def test_uv_may_list_several_ranges() -> None:
    error = ProcessError(["uv"], 1, SAYS)
    assert (
        "mlserver and fastapi exclude each other"
        in conflict(error, frozenset({"fastapi"}), "uv.lock", "e").what
    )


def test_an_index_that_is_not_reached_is_no_conflict() -> None:
    error = ProcessError(["uv"], 2, "error: Request failed after 3 retries")
    said = conflict(error, frozenset(), "uv.lock", "e").what
    assert said.startswith("The environment of the engine could not be made") and "Request failed" in said
