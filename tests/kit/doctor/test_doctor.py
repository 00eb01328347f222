"""Each thing that can be wrong is found, with the command that mends it; one test breaks one thing."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from mlops_kit import VERSION
from mlops_kit.cli.main import group
from mlops_kit.doctor import doctor
from mlops_kit.project.repository import Repository

from tests.conftest import must
from tests.kit.builders import a_record, tag
from tests.kit.doctor.harness import found, settings


def test_a_repository_without_anything_wrong_is_well(repository: Repository) -> None:
    assert doctor.is_well(doctor.examine(repository))
    assert {one.status for one in doctor.examine(repository)} <= {"ok", "warn", "unknown"}


def test_an_invalid_contract_is_found_and_the_rest_still_looked_at(repository: Repository) -> None:
    settings(repository, gate="1")
    one = found(repository, "contract")
    assert one.status == "fail" and "gate is not a key" in one.says
    assert found(repository, "commands").status == "unknown"
    assert found(repository, "identity").status == "ok"


def test_a_command_that_is_not_there(repository: Repository) -> None:
    path = repository.root / "mlops.yaml"
    path.write_text(path.read_text().replace("{dvc: git}", "{dvc: no-such-dvc repro}"))
    one = found(repository, "commands")
    assert one.status == "fail" and "no-such-dvc (dvc)" in one.says


@pytest.mark.parametrize(("wanted", "status"), [(VERSION, "ok"), (f"v{VERSION}", "ok"), ("9.9.9", "fail")])
def test_the_kits_version(repository: Repository, wanted: str, status: str) -> None:
    settings(repository, kit=wanted)
    one = found(repository, "kit version")
    assert one.status == status
    assert status == "ok" or one.mend == "uv tool install 'mlops-new[kit]==9.9.9'"


def test_no_git_identity(repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    one = found(repository, "identity")
    assert one.status == "warn" and "user.email" in one.mend
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert found(repository, "identity").status == "ok"


def test_origin(repository: Repository, tmp_path: Path) -> None:
    assert found(repository, "origin").status == "warn"
    repository.git("remote", "add", "origin", str(tmp_path / "nowhere"))
    assert found(repository, "origin").status == "fail"
    must(["git", "clone", "--quiet", "--bare", repository.root, tmp_path / "nowhere"], tmp_path)
    assert found(repository, "origin").status == "ok"


def test_a_remote_of_another_name_is_named_with_the_way(repository: Repository) -> None:
    repository.git("remote", "add", "upstream", "https://github.com/acme/flights.git")
    one = found(repository, "origin")
    assert one.status == "warn" and "only upstream" in one.says
    assert one.mend == "git remote rename upstream origin"


@pytest.mark.parametrize(
    ("push", "status"),
    [
        ("{branches: [main]}", "fail"),
        ("{branches: [master]}", "ok"),
        ("{branches: ['m*']}", "ok"),
        ("{}", "ok"),
    ],
)
def test_workflows_that_wait_for_another_branch(
    repository: Repository, tmp_path: Path, push: str, status: str
) -> None:
    must(["git", "init", "--quiet", "--bare", "--initial-branch=master", tmp_path / "origin"], tmp_path)
    repository.git("remote", "add", "origin", str(tmp_path / "origin"))
    repository.git("push", "--quiet", "origin", "HEAD:master")
    train = repository.root / ".github/workflows/train.yml"
    train.parent.mkdir(parents=True, exist_ok=True)
    train.write_text(f"on:\n  push: {push}\njobs: {{}}\n")
    one = found(repository, "main branch")
    assert one.status == status
    if status == "fail":
        assert "The default branch is master, but .github/workflows/train.yml runs" in one.says
        assert "branches: [master]" in one.mend


def test_tags_that_are_not_here_or_only_here(repository: Repository, tmp_path: Path) -> None:
    tag(repository, a_record(repository.commit(), "v0.1.0"))
    must(["git", "clone", "--quiet", "--bare", repository.root, tmp_path / "origin"], tmp_path)
    repository.git("remote", "add", "origin", str(tmp_path / "origin"))
    assert found(repository, "tags").status == "ok"
    repository.git("tag", "--delete", "flights@v0.1.0")
    one = found(repository, "tags")
    assert one.status == "warn" and one.mend == "git fetch origin 'refs/tags/flights@*:refs/tags/flights@*'"
    tag(repository, a_record(repository.commit(), "v0.2.0"))
    repository.git("fetch", "--quiet", "origin", "refs/tags/*:refs/tags/*")
    one = found(repository, "tags")
    assert one.status == "warn" and one.mend == "git push origin flights@v0.2.0"


def test_hooks(repository: Repository) -> None:
    assert found(repository, "hooks").status == "ok"
    (repository.root / ".pre-commit-config.yaml").write_text("repos: []\n")
    assert found(repository, "hooks").mend == "uv run pre-commit install"
    (repository.root / ".git/hooks/pre-commit").write_text("#!/bin/sh\n")
    assert found(repository, "hooks").status == "ok"


# ---- the command ----


def test_it_ends_with_10_when_something_fails(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository.root)
    assert CliRunner().invoke(group, ["doctor"]).exit_code == 0
    settings(repository, gate="1")
    done = CliRunner().invoke(group, ["doctor", "--json"])
    assert done.exit_code == 10
    first = json.loads(done.stdout)[0]
    assert (first["name"], first["status"]) == ("contract", "fail") and first["mend"]


def test_every_check_has_a_sentence_for_its_reader() -> None:
    assert all((check.__doc__ or "").endswith(".") for check in doctor.CHECKS.values())
