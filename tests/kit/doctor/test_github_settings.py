"""GitHub as `mlops-kit doctor` finds it: token, rules and schedule."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from mlops_kit.doctor import doctor
from mlops_kit.doctor.diagnosis import Diagnosis
from mlops_kit.project.repository import Repository

from tests.act.api import READ_TOKEN, Api
from tests.conftest import ROOT
from tests.kit.doctor.harness import found

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


def test_approvals_need_the_rule_of_the_page(repository: Repository, on_github: Api) -> None:
    rules(on_github)
    assert found(repository, "stage rule").status == "ok"
    file = repository.root / "mlops.yaml"
    file.write_text(f"{file.read_text()}promotion: approved\n")
    assert found(repository, "stage rule").status == "warn"
    page = (ROOT / "docs/how-to/versions.md").read_text(encoding="utf-8")
    on_github.rulesets.append({"id": 3, **json.loads(page.partition("```json")[2].partition("```")[0])})
    assert found(repository, "stage rule").status == "ok"
    assert found(repository, "tag rule").status == "ok"


def test_a_tag_rule_that_refuses_new_versions(repository: Repository, on_github: Api) -> None:
    rules(on_github)
    on_github.rulesets[1]["rules"].append({"type": "creation"})
    one = found(repository, "tag rule")
    assert one.status == "fail" and "no version can be registered" in one.says and "flights@*" in one.mend


def scheduled(
    repository: Repository, api: Api, state: str, days: float | None, conclusion: str = "success"
) -> Diagnosis:
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
    assert one.status == "warn" and "read-only" in one.says
