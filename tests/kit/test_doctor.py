"""Each thing that can be wrong is found, with the command that mends it; one test breaks one thing."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from mlops_kit import VERSION, doctor
from mlops_kit.checkup.finding import Finding
from mlops_kit.cli import group
from mlops_kit.repository import Repository

from tests.act.api import READ_TOKEN, Api
from tests.conftest import must
from tests.kit.made import LOCK, a_record, commit, tag

ROOT = Path(__file__).parents[2]
REMOTE = "[core]\n    remote = storage\n['remote \"storage\"']\n    url = {}\n"


def found(repository: Repository, name: str) -> Finding:
    (one,) = [one for one in doctor.examine(repository) if one.name == name]
    return one


def settings(repository: Repository, **keys: str) -> None:
    path = repository.root / "mlops.yaml"
    path.write_text(path.read_text() + "".join(f"{key}: {value}\n" for key, value in keys.items()))


def connected(repository: Repository, url: object) -> None:
    """With a DVC remote."""
    (repository.root / ".dvc").mkdir(exist_ok=True)
    (repository.root / ".dvc/config").write_text(REMOTE.format(url))


def dvc_says(repository: Repository, program: str) -> None:
    script = repository.root / "my-dvc"
    script.write_text(f"#!/bin/sh\n{program}\n")
    script.chmod(0o755)
    path = repository.root / "mlops.yaml"
    path.write_text(path.read_text().replace("{dvc: git}", "{dvc: ./my-dvc}"))


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


# ---- DVC ----


def test_no_remote_is_unknown_and_says_what_follows(repository: Repository) -> None:
    one = found(repository, "dvc remote")
    assert one.status == "unknown" and "CI trains on the sample" in one.says and "dvc remote add" in one.mend


def test_a_folder_as_remote(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connected(repository, tmp_path / "gone/too")
    assert found(repository, "dvc remote").status == "fail"
    (tmp_path / "gone").mkdir()
    assert found(repository, "dvc remote").status == "ok"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    one = found(repository, "dvc remote")
    assert one.status == "fail" and "a runner does not have" in one.says


def test_a_bucket_that_does_not_answer(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    connected(repository, "s3://user:secret@bucket/x")
    dvc_says(repository, "echo '{}'")
    one = found(repository, "dvc remote")
    assert one.status == "ok" and "secret" not in one.says
    dvc_says(repository, "echo 'ERROR: no credentials' >&2; exit 255")
    one = found(repository, "dvc remote")
    assert one.status == "fail" and "no credentials" in one.says
    monkeypatch.setattr("mlops_kit.checkup.finding.SECONDS", 0.2)
    dvc_says(repository, "exec sleep 30")
    assert "no answer within 0.2 s" in found(repository, "dvc remote").says


def test_unpushed_data(repository: Repository, tmp_path: Path) -> None:
    connected(repository, tmp_path)
    dvc_says(repository, "echo '{}'")
    assert found(repository, "pushed data").status == "ok"
    dvc_says(repository, """echo '{"not_in_remote": ["data.csv", "model/"]}'""")
    one = found(repository, "pushed data")
    assert one.status == "fail" and "data.csv, model/" in one.says and one.mend == "./my-dvc push"


STAGE = """\
stages:
  train:
    cmd: python train.py
    deps: [data.csv, train.py]
    params: [rate]
    outs: [metrics.json, predictions.csv, model]
"""


def fresh(repository: Repository) -> None:
    from mlops_kit.repository import file_md5

    lock = LOCK.replace("DATA", file_md5(repository.root / "data.csv")).replace("RATE", "0.1")
    code = file_md5(repository.root / "train.py")
    commit(repository, "Train", dvc__yaml=STAGE, dvc__lock=lock.replace("1111", code))


def test_the_lock_is_fresh_or_behind_and_why(repository: Repository) -> None:
    fresh(repository)
    assert found(repository, "lock").status == "ok"
    (repository.root / "params.yaml").write_text("rate: 0.2\n")
    one = found(repository, "lock")
    assert one.status == "warn" and "rate 0.1 -> 0.2" in one.says
    (repository.root / "train.py").write_text("print(3)\n")
    assert "train.py" in found(repository, "lock").says
    (repository.root / "dvc.lock").unlink()
    assert found(repository, "lock").mend == "mlops-kit train"


def test_the_newest_versions_lock_counts_too(repository: Repository) -> None:
    fresh(repository)
    tag(repository, a_record(repository.commit(), "v0.1.0"))
    (repository.root / "dvc.lock").write_text(LOCK)
    one = found(repository, "lock")
    assert (one.status, one.says) == ("ok", "Nothing to train: the inputs are as v0.1.0 has them.")


def test_a_dvc_gc_in_a_script_is_a_danger(repository: Repository) -> None:
    commit(repository, "Say", README__md="Never run `dvc gc -w -c`.\n")
    assert found(repository, "versions kept").status == "ok"
    commit(repository, "Clean", clean__sh="# dvc gc -w\ndvc gc -w --all-tags\n")
    assert found(repository, "versions kept").status == "ok"
    commit(repository, "Tidy", clean__sh="set -e\nuv run dvc gc -w -c -f\n")
    one = found(repository, "versions kept")
    assert one.status == "fail" and "clean.sh:2" in one.says and "mlops-kit gc" in one.mend


def test_a_model_that_is_gone_from_the_remote(repository: Repository, tmp_path: Path) -> None:
    storage = tmp_path / "storage"
    connected(repository, storage)
    tag(repository, a_record(repository.commit(), "v0.1.0"))
    one = found(repository, "versions kept")
    assert one.status == "fail" and "model is not in the remote any more" in one.says
    (storage / "files/md5/44").mkdir(parents=True)
    (storage / "files/md5/44/44.dir").touch()
    assert found(repository, "versions kept").status == "ok"


# ---- GitHub ----

ONLINE = ("token", "branch rule", "tag rule", "schedule")


def test_without_a_token_github_is_unknown_and_no_failure(repository: Repository) -> None:
    path = repository.root / ".github/workflows/schedule.yml"
    path.parent.mkdir(parents=True)
    path.touch()
    ours = [one for one in doctor.examine(repository) if one.name in ONLINE]
    assert [one.status for one in ours] == ["unknown"] * 4
    assert all("GITHUB_TOKEN" in one.mend for one in ours)


def test_an_expired_token_fails(
    repository: Repository, on_github: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found(repository, "token").status == "ok"
    monkeypatch.setenv("GITHUB_TOKEN", "expired")
    one = found(repository, "token")
    assert one.status == "fail" and "expired" in one.mend


def rules(api: Api) -> None:
    """Those of the generated repository."""
    for id_, name in enumerate(("ruleset.json", "ruleset-tags.json"), 1):
        text = (ROOT / "template/.github" / name).read_text()
        api.rulesets.append({"id": id_, **json.loads(text)})


def test_the_rules_of_the_template_are_enough(repository: Repository, on_github: Api) -> None:
    assert found(repository, "branch rule").mend.endswith("--input .github/ruleset.json")
    assert found(repository, "tag rule").mend.endswith("--input .github/ruleset-tags.json")
    rules(on_github)
    assert found(repository, "branch rule").status == "ok"
    assert found(repository, "tag rule").status == "ok"
    assert not on_github.unknown


@pytest.mark.parametrize(
    ("change", "check", "status"),
    [
        ({"enforcement": "evaluate"}, "branch rule", "warn"),
        ({"conditions": {"ref_name": {"include": ["refs/heads/dev"], "exclude": []}}}, "branch rule", "warn"),
        (
            {"conditions": {"ref_name": {"include": ["~ALL"], "exclude": ["refs/heads/main"]}}},
            "branch rule",
            "warn",
        ),
        ({"rules": [{"type": "pull_request"}]}, "branch rule", "warn"),
        ({"conditions": {"ref_name": {"include": ["refs/heads/ma*"], "exclude": []}}}, "branch rule", "ok"),
    ],
)
def test_a_rule_that_does_not_hold(
    repository: Repository, on_github: Api, change: dict[str, Any], check: str, status: str
) -> None:
    rules(on_github)
    on_github.rulesets[0] |= change
    assert found(repository, check).status == status


def test_a_tag_rule_that_refuses_new_versions(repository: Repository, on_github: Api) -> None:
    rules(on_github)
    on_github.rulesets[1]["rules"].append({"type": "creation"})
    one = found(repository, "tag rule")
    assert one.status == "fail" and "no version can be registered" in one.says and "flights@*" in one.mend


def scheduled(
    repository: Repository, api: Api, state: str, days: float | None, conclusion: str = "success"
) -> Finding:
    path = ".github/workflows/schedule.yml"
    (repository.root / path).parent.mkdir(parents=True, exist_ok=True)
    (repository.root / path).write_text("on: schedule\n")
    api.workflows[:] = [{"id": 1, "path": path, "state": state}]
    api.runs.clear()
    if days is not None:
        at = (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
        api.runs.append(
            {
                "path": path,
                "event": "schedule",
                "created_at": at,
                "conclusion": conclusion,
                "html_url": "",
                "head_branch": "main",
                "head_sha": "",
                "status": "completed",
            }
        )
    return found(repository, "schedule")


def test_a_dead_schedule_is_noticed(repository: Repository, on_github: Api) -> None:
    assert found(repository, "schedule").status == "ok"  # there is none
    assert scheduled(repository, on_github, "active", 0.5).status == "ok"
    assert scheduled(repository, on_github, "active", 1.9).status == "ok"
    old = scheduled(repository, on_github, "active", 3)
    assert old.status == "fail" and "3 days ago" in old.says
    off = scheduled(repository, on_github, "disabled_inactivity", 0.5)
    assert off.status == "fail" and off.mend == "gh workflow enable schedule.yml"
    assert scheduled(repository, on_github, "active", None).status == "unknown"
    assert scheduled(repository, on_github, "active", 0.5, "failure").status == "warn"


def test_github_that_does_not_answer_one_question_is_unknown(
    repository: Repository, on_github: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_github.fail("GET", "rulesets", 403, times=9, message="Resource not accessible by integration")
    monkeypatch.setenv("GITHUB_TOKEN", READ_TOKEN)
    assert found(repository, "branch rule").status == "unknown"
    one = found(repository, "token")
    assert one.status == "warn" and "may only read" in one.says


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
