"""New data is found, checked, and only then does its pointer move. With real DVC and real remotes."""

import json
import os
import shutil
import sys
import time
from pathlib import Path

import pytest
from mlops_kit.base.errors import KitError
from mlops_kit.project import contract as contracts

from tests.conftest import must
from tests.kit.new_data.files import MORE, land, state, watch
from tests.kit.small_repository import Hub, Small, clone, started


def test_new_data_reaches_main_and_the_next_clone(flights_at: Small, hub: Hub, tmp_path: Path) -> None:
    land(tmp_path / "landing/april.csv", MORE)
    result = watch(flights_at)
    (one,) = result.outcomes
    assert (result.found, one.status, one.rows_before, one.rows_after) == (True, "found", 2, 3)
    assert result.delivered and result.delivered.how == "push"
    other = clone(tmp_path / "flights.git", tmp_path / "other")
    assert other.git("diff", "--name-only", "HEAD~1").split() == ["data/raw.csv.dvc"]
    command = contracts.load(other.root).commands.dvc
    must([command, "pull", "--quiet", "data/raw.csv.dvc"], other.root)
    assert (other.root / "data/raw.csv").read_text() == MORE
    assert must([command, "status", "--quiet", "data/raw.csv.dvc"], flights_at.root) == ""
    assert flights_at.git("status", "--porcelain") == ""
    assert flights_at.git("rev-parse", "HEAD") == other.git("rev-parse", "HEAD")
    assert hub.open == {}


def test_data_that_was_edited_here_is_not_replaced(flights_at: Small, hub: Hub, tmp_path: Path) -> None:
    land(tmp_path / "landing/april.csv", MORE)
    flights_at.write("data/raw.csv", "mine\n")
    with pytest.raises(KitError, match="was changed here and is not what"):
        watch(flights_at)
    assert (flights_at.root / "data/raw.csv").read_text() == "mine\n"
    assert flights_at.git("status", "--porcelain") == ""


def test_a_second_look_does_nothing(flights_at: Small, hub: Hub, tmp_path: Path) -> None:
    land(tmp_path / "landing/april.csv", MORE)
    assert watch(flights_at).found
    before = state(flights_at)
    again = watch(flights_at)
    assert not again.found
    assert again.outcomes[0].says == "april.csv holds the same content again"
    assert state(flights_at) == before


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "april.csv is empty"),
        ("id,late\n", "april.csv has no rows"),
        ("id,delayed\n1,0\n", "columns are id,delayed, not id,late"),
    ],
)
def test_bad_data_trains_nothing_and_raises_one_alarm(
    flights_at: Small, hub: Hub, tmp_path: Path, text: str, says: str
) -> None:
    before = state(flights_at)
    land(tmp_path / "landing/april.csv", text)
    for _ in range(2):  # the same alarm, not another
        result = watch(flights_at)
        assert not result.found
        assert [one.status for one in result.outcomes] == ["refused"]
        assert says in result.outcomes[0].says
        assert state(flights_at) == before
    ((title, body),) = hub.open.values()
    assert title == "New data for data/raw.csv is refused"
    assert says in body
    land(tmp_path / "landing/may.csv", MORE, age=1800)
    assert watch(flights_at).found
    assert hub.open == {}
    assert hub.closed == ["<!-- mlops-kit:alarm:new-data-data/raw.csv.dvc -->"]


def test_a_young_file_waits(flights_at: Small, hub: Hub, tmp_path: Path) -> None:
    before = state(flights_at)
    land(tmp_path / "landing/april.csv", MORE, age=1)
    result = watch(flights_at)
    assert result.outcomes[0].status == "waits"
    assert "half-written, it waits" in result.outcomes[0].says
    assert state(flights_at) == before
    assert hub.open == {}


def test_a_file_that_grows_while_it_is_read_waits(
    flights_at: Small, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlops_kit.data.storage import Landed, Place

    file = tmp_path / "landing/april.csv"
    land(file, MORE)
    fetch = Place.fetch

    def and_grows(self: Place, landed: Landed, to: Path) -> str:
        md5 = fetch(self, landed, to)
        land(file, MORE + "4,1\n")
        return md5

    monkeypatch.setattr(Place, "fetch", and_grows)
    assert watch(flights_at).outcomes[0].status == "waits"


def test_half_a_parquet_file_is_refused_after_it_settled(flights_at: Small, hub: Hub, tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    one = flights_at
    one.git("mv", "data/raw.csv.dvc", "data/raw.parquet.dvc")
    one.edit("data/raw.parquet.dvc", "raw.csv", "raw.parquet")
    one.edit("mlops.yaml", "raw.csv.dvc", "raw.parquet.dvc")
    one.edit("mlops.yaml", "*.csv", "*.parquet")
    one.commit()
    one.git("push", "--quiet", "origin", "main")
    parquet.write_table(pa.table({"id": list(range(1000))}), tmp_path / "whole.parquet")
    half = (tmp_path / "whole.parquet").read_bytes()[:1000]
    (tmp_path / "landing/april.parquet").write_bytes(half)
    os.utime(tmp_path / "landing/april.parquet", (time.time() - 3600,) * 2)
    result = watch(one)
    assert result.outcomes[0].says == "april.parquet cannot be read as Parquet: half-written?"
    assert len(hub.open) == 1


def test_half_a_csv_is_refused_where_nobody_else_reads_it(
    flights_at: Small, hub: Hub, tmp_path: Path
) -> None:
    one = flights_at
    contract = (one.root / "mlops.yaml").read_text()
    one.write("mlops.yaml", contract.replace(f", validate: {sys.executable} check.py", ""))
    land(tmp_path / "landing/april.csv", "id,late\n1,0\n2")
    assert "april.csv cannot be read as CSV" in watch(one).outcomes[0].says
    land(tmp_path / "landing/april.csv", "id,late\n1,0\nx,1\n")
    assert watch(one).found


def test_a_landing_folder_that_vanished_raises_an_alarm(flights_at: Small, hub: Hub, tmp_path: Path) -> None:
    assert watch(flights_at).outcomes[0].says == "nothing has landed in ../landing/*.csv"
    assert hub.open == {}
    before = state(flights_at)
    (tmp_path / "landing").rmdir()
    result = watch(flights_at)
    assert result.outcomes[0].says == "../landing is not there: its data vanished, or it is misspelt"
    assert state(flights_at) == before
    assert len(hub.open) == 1


def test_a_landing_folder_that_became_empty_raises_an_alarm(
    flights_at: Small, hub: Hub, tmp_path: Path
) -> None:
    land(tmp_path / "landing/april.csv", MORE)
    assert watch(flights_at).found
    (tmp_path / "landing/april.csv").unlink()
    before = state(flights_at)
    for _ in range(2):
        result = watch(flights_at)
        assert result.outcomes[0].status == "refused"
        assert result.outcomes[0].says == "../landing/*.csv is empty now: what was taken from there vanished"
    assert state(flights_at) == before
    assert len(hub.open) == 1
    land(tmp_path / "landing/april.csv", MORE)
    assert watch(flights_at).outcomes[0].status == "nothing"
    assert hub.open == {}


def test_a_link_is_as_old_as_what_it_leads_to(flights_at: Small, hub: Hub, tmp_path: Path) -> None:
    link = tmp_path / "landing/april.csv"
    link.symlink_to(tmp_path / "elsewhere.csv")
    os.utime(link, (time.time() - 3600,) * 2, follow_symlinks=False)
    assert watch(flights_at).outcomes[0].says == "april.csv is a link to nothing: its data vanished"
    land(tmp_path / "elsewhere.csv", MORE, age=1)
    assert watch(flights_at).outcomes[0].status == "waits"
    land(tmp_path / "elsewhere.csv", MORE)
    assert watch(flights_at).found
    assert hub.open == {}


def test_an_unreachable_remote_leaves_everything_as_before(
    flights_at: Small, hub: Hub, tmp_path: Path
) -> None:
    land(tmp_path / "landing/april.csv", MORE)
    before = state(flights_at)
    shutil.rmtree(tmp_path / "storage")
    (tmp_path / "storage").write_text("not a folder")
    with pytest.raises(KitError, match="dvc push"):
        watch(flights_at)
    assert state(flights_at) == before


def test_a_dry_run_changes_nothing(flights_at: Small, tmp_path: Path) -> None:
    land(tmp_path / "landing/april.csv", MORE)
    before = state(flights_at)
    done = flights_at.kit("watch-data", "--dry-run", "--json")
    assert done.code == 0, done.said
    assert json.loads(done.stdout)["outcomes"][0]["rows_after"] == 3
    assert state(flights_at) == before
    assert not (flights_at.root / ".mlops/events").exists()


@pytest.mark.parametrize(
    "moment", ["the data is in its place", "the pointer is pushed", "this clone has moved on"]
)
def test_a_killed_look_leaves_nothing_that_blocks_the_next(
    flights_at: Small, hub: Hub, tmp_path: Path, moment: str
) -> None:
    """Killed by a signal that nothing behind it hears."""
    land(tmp_path / "landing/april.csv", MORE)
    before = state(flights_at)
    where = {
        "the data is in its place": "landing.Source.push = killed",
        "the pointer is pushed": "deliver._advance = killed",
        "this clone has moved on": "watch.undo.settle = killed",
    }[moment]
    code = f"""
import os, signal
from pathlib import Path
from mlops_kit.new_data import deliver, landing, watch
from mlops_kit.project import contract, repository
def killed(*_, **__): os.kill(os.getpid(), signal.SIGKILL)
{where}
repo = repository.find(Path.cwd())
watch.look_and_deliver(repo, contract.load(repo.root), print, lambda _: True)
"""
    process = started(flights_at.root, code)
    process.communicate()
    assert process.returncode == -9
    done = flights_at.kit("watch-data")
    assert done.code == 0, done.said
    if moment == "the data is in its place":
        assert "Put back as before" in done.stderr
    assert state(flights_at) != before
    assert flights_at.git("status", "--porcelain") == ""
    assert (flights_at.root / "data/raw.csv").read_text() == MORE
    assert (
        flights_at.git("rev-parse", "HEAD") == flights_at.git("ls-remote", "origin", "main").split()[0] + "\n"
    )
    left = sorted(path.name for path in (flights_at.root / ".mlops").iterdir())
    assert left == ["events", "lock", "new-data.json", "run"]
    assert "same content again" in flights_at.kit("watch-data").stdout
