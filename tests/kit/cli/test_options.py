"""Options that contradict each other are refused first, by name."""

import pytest
from mlops_kit.project.repository import Repository

from tests.kit.tips import kit

TOGETHER = [
    "register --hand-over|--from .",
    "register --hand-over|--bump major",
    "register --tell v0.1.0|--bump major",
    "report --from .|--out x",
    "report --from .|--open",
    "review --from .|--week 2026-W40",
    "review --from .|--publish",
    "alert --test|--dry-run",
    "alert --test|--label x",
    "alert --check x|--from .",
    "gc --dry-run|--yes",
    "lineage VERSION|--at 2026-01-01",
    "lineage --file x|--stage production",
    "lineage --data x|--at 2026-01-01",
    "lineage --json|--mermaid",
    "runs --publish|--run x",
    "runs --run x|--limit 20",
    "watch-data --dry-run|--deliver",
    "watch-data --dry-run|--no-deliver",
    "watch-data --no-deliver|--yes",
]


@pytest.mark.parametrize("words", TOGETHER)
def test_both_are_named_and_nothing_is_done(words: str, repository: Repository) -> None:
    left, right = words.split("|")
    done = kit(repository, *left.split(), *right.split())
    assert done.code == 2, done.said
    one, other = left.split()[1], right.split()[0]
    assert f"{one} and {other} exclude each other: give one of them." in done.stderr


def test_an_input_of_an_action_contradicts_only_where_it_is_not_its_default(repository: Repository) -> None:
    given = {"MLOPS_KIT_REGISTER_HAND_OVER": "true", "MLOPS_KIT_REGISTER_HANDED": ""}
    done = kit(repository, "register", **given, MLOPS_KIT_REGISTER_BUMP="minor")
    assert "exclude" not in done.stderr
    done = kit(repository, "register", **given, MLOPS_KIT_REGISTER_BUMP="major")
    assert done.code == 2, done.said
    assert "--hand-over and --bump exclude each other" in done.stderr
    given = {"MLOPS_KIT_WATCH_DATA_DELIVER": "false", "MLOPS_KIT_WATCH_DATA_DRY_RUN": "true"}
    done = kit(repository, "watch-data", **given)
    assert "--dry-run and --no-deliver exclude each other" in done.stderr


@pytest.mark.parametrize("command", ["register", "report"])
def test_a_folder_that_is_not_there_is_a_killed_job_on_a_runner_and_a_slip_here(
    command: str, repository: Repository
) -> None:
    done = kit(repository, command, "--from", "mlops-rum")
    assert done.code == 2, done.said
    assert "Invalid value for '--from': Directory 'mlops-rum' does not exist." in done.stderr
    done = kit(repository, command, "--from", "mlops-rum", GITHUB_ACTIONS="true", GITHUB_RUN_ID="7")
    assert "does not exist" not in done.said


def test_a_folder_without_a_report_is_not_commented_on(repository: Repository) -> None:
    done = kit(repository, "report", "--from", ".", "--comment", "12")
    assert done.code == 1, done.said
    assert "mlops-kit: . holds no report.md.\n`mlops-kit report --out FOLDER` writes one.\n" in done.stderr
