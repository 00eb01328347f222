"""New data reaches main as one commit of pointers alone, by push or by pull request."""

from pathlib import Path

import pytest
from mlops_kit.base.errors import KitError
from mlops_kit.new_data import watch as watch_data
from mlops_kit.project import contract as contracts

from tests.act.api import Api
from tests.kit.new_data.files import MORE, land, watch
from tests.kit.small_repository import Hub, Small, clone


def test_the_job_that_writes_takes_the_hand_over(flights_at: Small, hub: Hub, tmp_path: Path) -> None:
    land(tmp_path / "landing/april.csv", MORE)
    done = flights_at.kit("watch-data", "--no-deliver")
    assert done.code == 0, done.said
    assert flights_at.git("status", "--porcelain") == " M data/raw.csv.dvc\n"
    assert "not committed" in flights_at.kit("watch-data").stderr
    writer = clone(tmp_path / "flights.git", tmp_path / "writer", "--depth=1")
    handover = flights_at.root / ".mlops/new-data.json"
    result = watch_data.deliver_handover(writer.repository, contracts.load(writer.root), handover)
    assert result.delivered and result.delivered.how == "push"
    again = watch_data.deliver_handover(writer.repository, contracts.load(writer.root), handover)
    assert again.delivered and again.delivered.how == "nothing"


def test_a_hand_over_cannot_change_more_than_the_hash(flights_at: Small, hub: Hub, tmp_path: Path) -> None:
    land(tmp_path / "landing/april.csv", MORE)
    flights_at.kit("watch-data", "--no-deliver")
    handover = flights_at.root / ".mlops/new-data.json"
    honest = handover.read_text()
    contract = contracts.load(flights_at.root)
    for old, new in (("data/raw.csv.dvc", ".github/x.dvc"), ("path: raw.csv", "path: ../x")):
        handover.write_text(honest.replace(old, new))
        with pytest.raises(KitError, match=r"not a pointer that|in more than its hash"):
            watch_data.deliver_handover(flights_at.repository, contract, handover)
    assert flights_at.git("ls-remote", "origin", "main").split()[0] == flights_at.repository.commit()


def test_where_main_is_protected_one_pull_request_brings_it(
    flights_at: Small, hub: Hub, tmp_path: Path
) -> None:
    hook = tmp_path / "flights.git/hooks/pre-receive"
    hook.write_text(
        "#!/bin/sh\nwhile read old new ref; do\n"
        'case $ref in refs/heads/main) echo "GH006: Protected branch" >&2; exit 1;; esac\ndone\n'
    )
    hook.chmod(0o755)
    main = flights_at.git("ls-remote", "origin", "main")
    land(tmp_path / "landing/april.csv", MORE)
    result = watch(flights_at)
    assert result.delivered and result.delivered.how == "pull-request"
    assert flights_at.git("ls-remote", "origin", "main") == main
    flights_at.git("restore", "data/raw.csv.dvc")
    second = watch(flights_at)
    assert second.outcomes[0].says == "the new data waits on the branch mlops/data to be merged"
    flights_at.git("checkout", "--quiet", "--", ".")
    land(tmp_path / "landing/may.csv", MORE + "4,1\n", age=600)
    assert watch(flights_at).found
    assert list(hub.pulls) == ["mlops/data"]
    tip = flights_at.git("ls-remote", "origin", "mlops/data").split()[0]
    flights_at.git("fetch", "--quiet", "origin", "mlops/data")
    assert flights_at.git("rev-list", "--count", f"origin/main..{tip}") == "1\n"


def test_a_pull_request_that_could_not_be_opened_is_opened_by_the_next_look(
    flights_at: Small, on_github: Api, tmp_path: Path
) -> None:
    """Also by the job that registers; one that somebody closed is not opened again."""
    flights_at.edit("mlops.yaml", "new_data:\n", "new_data:\n  deliver: pull-request\n")
    flights_at.commit("Deliver by pull request")
    flights_at.git("push", "--quiet", "origin", "main")
    land(tmp_path / "landing/april.csv", MORE)
    on_github.fail("POST", "/pulls$", 422, message="Validation Failed")
    with pytest.raises(KitError, match=r"stands on the branch mlops/data, but no pull request: .*422"):
        watch(flights_at)
    pushed = flights_at.git("ls-remote", "origin", "mlops/data")
    flights_at.git("restore", "data/raw.csv.dvc")
    result = watch(flights_at)
    assert result.outcomes[0].says == "the new data waits on the branch mlops/data to be merged"
    assert result.delivered and result.delivered.how == "pull-request"
    (pull,) = on_github.pulls
    assert pull["title"] == "Take new data for data/raw.csv" and "april.csv (2 -> 3 rows)" in pull["body"]
    assert watch(flights_at).delivered is None
    pull |= {"state": "closed", "head": pull["head"] | {"sha": pushed.split()[0]}}
    assert watch(flights_at).delivered is None
    assert len(on_github.pulls) == 1 and flights_at.git("ls-remote", "origin", "mlops/data") == pushed
    on_github.pulls.clear()
    assert flights_at.kit("watch-data", "--no-deliver").code == 0
    folder = tmp_path / "mlops-run"
    folder.mkdir()
    (folder / "new-data.json").write_bytes((flights_at.root / ".mlops/new-data.json").read_bytes())
    assert flights_at.kit("register", "--from", str(folder)).code == 0
    assert len(on_github.pulls) == 1


def test_what_waits_stays_on_the_branch_when_another_source_has_news(
    two: Small, hub: Hub, tmp_path: Path
) -> None:
    """Else the two would take turns on it for ever."""

    def waits() -> list[str]:
        two.git("fetch", "--quiet", "origin", "mlops/data")
        return two.git("diff", "--name-only", "origin/main", "FETCH_HEAD").splitlines()

    land(tmp_path / "landing/april.csv", MORE)
    assert watch(two).found
    two.git("restore", "data")
    land(tmp_path / "batches/may.csv", MORE)
    assert watch(two).found
    two.git("restore", "data")
    assert waits() == ["data/batches.dvc", "data/raw.csv.dvc"]
    assert "data/raw.csv" in hub.pulls["mlops/data"][-1]
    assert not watch(two).found
    land(tmp_path / "landing/june.csv", MORE + "4,1\n", age=600)
    assert watch(two).found
    two.git("restore", "data")
    assert waits() == ["data/batches.dvc", "data/raw.csv.dvc"]
    assert not watch(two).found


def test_without_origin_the_commit_is_made_here(flights_at: Small, hub: Hub, tmp_path: Path) -> None:
    flights_at.git("remote", "remove", "origin")
    land(tmp_path / "landing/april.csv", MORE)
    result = watch(flights_at)
    assert result.delivered and result.delivered.how == "local"
    assert flights_at.git("status", "--porcelain") == ""
    assert flights_at.git("log", "-1", "--format=%s") == "Take new data for data/raw.csv\n"


def test_main_that_moved_meanwhile_keeps_both(flights_at: Small, hub: Hub, tmp_path: Path) -> None:
    other = clone(tmp_path / "flights.git", tmp_path / "other")
    other.write("README.md", "Somebody merged this meanwhile.\n")
    other.commit("Merge")
    other.git("push", "--quiet", "origin", "main")
    land(tmp_path / "landing/april.csv", MORE)
    assert watch(flights_at).found
    other.git("pull", "--quiet")
    assert other.git("log", "--format=%s", "-2").splitlines() == ["Take new data for data/raw.csv", "Merge"]
