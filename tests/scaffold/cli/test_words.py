"""A word that is no command never makes a repository by mistake."""

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from mlops_new.cli import main
from mlops_new.cli.words import PROJECT_FILES

from tests.conftest import must


def refused(words: str) -> str:
    done = CliRunner().invoke(main.command, words.split())
    assert done.exit_code == 2, done.output
    return " ".join(done.output.split())


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("updat", "update"),
        ("udpate --check", "update"),
        ("Update", "update"),
        ("swich serving=seldon", "switch"),
        ("tier --json", "tiers"),
        ("remov serving", "remove"),
        ("adapt .", "adopt"),
        ("dif", "diff"),
        ("upgrade", "update"),
        ("help", "--help"),
        ("--json updat", "update"),
        ("--remote s3://bucket/data updat", "update"),
    ],
)
def test_the_command_that_was_meant_is_named(words: str, meant: str, empty: Path) -> None:
    typed = next(word for word in words.split() if not word.startswith(("-", "s3:")))
    assert f"No such command {typed!r}. Did you mean {meant!r}?" in refused(words)
    assert list(empty.iterdir()) == []


def test_there_is_no_command_that_creates(empty: Path) -> None:
    assert "To make a repository: mlops-new NAME." in refused("create churn")
    assert list(empty.iterdir()) == []


@pytest.mark.parametrize("at", [".", "pipeline/deeper"])
def test_inside_a_project_no_word_makes_a_repository(
    at: str, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in PROJECT_FILES:
        (empty / name).touch()
    (empty / at).mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(empty / at)
    said = refused("churn")
    assert "No such command 'churn'. This folder is in the project" in said
    assert "mlops-new ./churn" in said
    assert not (empty / at / "churn").exists()


def test_a_path_makes_one_whatever_it_is_called(
    mlops_new: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    must([mlops_new, "./updat"], tmp_path)
    must([mlops_new, "./inner"], tmp_path / "updat")
    assert (tmp_path / "updat/inner/mlops.yaml").is_file()


def test_names_of_repositories_are_not_near_a_command(empty: Path) -> None:
    from mlops_new.cli.words import expect_no_command

    for name in (
        "churn",
        "flights",
        "fraud",
        "house-prices",
        "orders",
        "trips",
        "trees",
        "drift",
        "my_model",
    ):
        expect_no_command(name)


def test_underscores_become_hyphens_in_package_model_and_tags(mlops_new: Path, tmp_path: Path) -> None:
    said = must([mlops_new, "house_prices"], tmp_path)
    assert "Package, model and tags are called house-prices: they have no underscores." in said
    made = tmp_path / "house_prices"
    assert yaml.safe_load((made / "mlops.yaml").read_text())["model"] == "house-prices"
    assert 'name = "house-prices"' in (made / "pyproject.toml").read_text()
    assert "house-prices@v0.1.0" in (made / "README.md").read_text()
