"""A7: new data is found, checked, and only then does its pointer move. With real DVC and real remotes."""

import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from mlops_kit import contract as contracts
from mlops_kit.errors import KitError
from mlops_kit.incoming import look
from mlops_kit.incoming.outcome import NewData

from tests.act.remotes import CREDENTIALS, S3Server
from tests.conftest import Once, must
from tests.kit.small import Hub, Small, clone, dvc, github, small, with_origin

ROWS = "id,late\n1,0\n2,1\n"
MORE = "id,late\n1,0\n2,1\n3,0\n"
# Refuses a file without the two columns; no word of it is the kit's.
CHECK = """\
import sys
if len(sys.argv) > 1:
    head = open(sys.argv[1]).readline().strip()
    if head != "id,late":
        sys.exit(f"columns are {head}, not id,late")
"""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    return github(monkeypatch)


@pytest.fixture
def command(once: Once) -> Path:
    return dvc(once)


REPLACE = "{pointer: data/raw.csv.dvc, folder: ../landing, pattern: '*.csv', settle_seconds: 60}"
COLLECT = "{pointer: data/batches.dvc, folder: ../landing, mode: collect, settle_seconds: 60}"
IMPORT = "{pointer: data/url.csv.dvc, settle_seconds: 60}"


@pytest.fixture
def seed(once: Once) -> Path:
    """A file, a folder and an import in DVC, of two rows each, pushed to a remote, and an origin.

    Every path is relative, so that the whole can be copied.
    """
    command = dvc(once)

    def build(into: Path) -> None:
        data = {"data/raw.csv": ROWS, "data/batches/january.csv": ROWS}
        one = small(into / "flights", **data, **{"check.py": CHECK, "dvc.yaml": "stages: {}\n"})
        one.write(
            ".dvc/config", "[core]\n    remote = storage\n['remote \"storage\"']\n    url = ../../storage\n"
        )
        one.write(".dvc/.gitignore", "/config.local\n/tmp\n/cache\n")
        (one.root / "data/raw.csv.dvc").unlink()
        one.git("rm", "-r", "--quiet", "--cached", "data")
        (into / "source.csv").write_text(ROWS)
        must([command, "add", "--quiet", "data/raw.csv", "data/batches"], one.root)
        must([command, "import-url", "--quiet", "../../source.csv", "data/url.csv"], one.root)
        must([command, "push", "--quiet"], one.root)
        one.commit("Add the data")
        with_origin(one)
        one.git("remote", "set-url", "origin", "../flights.git")
        (into / "landing").mkdir()

    return once("landing", build)


def at(seed: Path, once: Once, tmp_path: Path, watch: str) -> Small:
    shutil.copytree(seed, tmp_path, symlinks=True, dirs_exist_ok=True)
    one = Small(tmp_path / "flights")
    commands = f"{{dvc: {dvc(once)}, validate: {sys.executable} check.py}}"
    text = f"model: flights\ncommands: {commands}\nmetrics: metrics.json\nnew_data:\n  watch:\n  - {watch}\n"
    one.write("mlops.yaml", text)
    one.commit("Watch")
    one.git("push", "--quiet", "origin", "main")
    return one


@pytest.fixture
def flights_at(seed: Path, once: Once, tmp_path: Path) -> Small:
    return at(seed, once, tmp_path, REPLACE)


@pytest.fixture
def batches(seed: Path, once: Once, tmp_path: Path) -> Small:
    return at(seed, once, tmp_path, COLLECT)


@pytest.fixture
def imported(seed: Path, once: Once, tmp_path: Path) -> Small:
    return at(seed, once, tmp_path, IMPORT)


def land(path: Path, text: str, age: float = 3600) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    os.utime(path, (time.time() - age,) * 2)


def watch(one: Small, agree: bool = True) -> NewData:
    return look.look_and_deliver(one.repository, contracts.load(one.root), lambda _: None, lambda _: agree)


def state(one: Small) -> dict[str, Any]:
    """Everything that must be as before after a refused look."""
    files = ("data/raw.csv", "data/raw.csv.dvc", "data/.gitignore", "data/batches.dvc")
    content = {name: (one.root / name).read_bytes() for name in files if (one.root / name).is_file()}
    return content | {"git": one.git("status", "--porcelain"), "main": one.git("ls-remote", "origin", "main")}


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
    from mlops_kit.incoming.places import Landed, Place

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


def test_the_job_that_writes_takes_the_hand_over(flights_at: Small, hub: Hub, tmp_path: Path) -> None:
    land(tmp_path / "landing/april.csv", MORE)
    done = flights_at.kit("watch-data", "--no-deliver")
    assert done.code == 0, done.said
    assert flights_at.git("status", "--porcelain") == " M data/raw.csv.dvc\n"
    assert "not committed" in flights_at.kit("watch-data").stderr
    writer = clone(tmp_path / "flights.git", tmp_path / "writer", "--depth=1")
    handover = flights_at.root / ".mlops/new-data.json"
    result = look.deliver_handover(writer.repository, contracts.load(writer.root), handover)
    assert result.delivered and result.delivered.how == "push"
    again = look.deliver_handover(writer.repository, contracts.load(writer.root), handover)
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
            look.deliver_handover(flights_at.repository, contract, handover)
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


def test_a_bucket_is_a_folder_too(flights_at: Small, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing but the environment that S3's own clients read, and no further library."""
    with S3Server() as server:
        for name, value in (CREDENTIALS | {"AWS_ENDPOINT_URL": server.url}).items():
            monkeypatch.setenv(name, value)
        server.client.create_bucket(Bucket="landing")
        flights_at.edit("mlops.yaml", "../landing", "s3://landing/new")
        assert "s3://landing/new is not there" in watch(flights_at).outcomes[0].says
        server.client.put_object(Bucket="landing", Key="new/april.csv", Body=MORE.encode())
        assert watch(flights_at).outcomes[0].status == "waits"
        flights_at.edit("mlops.yaml", "settle_seconds: 60", "settle_seconds: 0")
        flights_at.commit("Wait for nothing: an object is whole")
        flights_at.git("push", "--quiet", "origin", "main")
        assert watch(flights_at).outcomes[0].says == "new data: april.csv"
    assert (flights_at.root / "data/raw.csv").read_text() == MORE


# ---- a folder that grows ----


def test_new_files_are_added_to_the_folder(batches: Small, hub: Hub, tmp_path: Path, command: Path) -> None:
    fresh = clone(tmp_path / "flights.git", tmp_path / "fresh")
    land(tmp_path / "landing/february.csv", MORE)
    land(tmp_path / "landing/january.csv", ROWS)
    land(tmp_path / "landing/copy.csv", ROWS)
    result = watch(fresh)
    assert result.outcomes[0].says == "new data: february.csv"
    assert sorted(file.name for file in (fresh.root / "data/batches").iterdir()) == [
        "february.csv",
        "january.csv",
    ]
    assert must([command, "status", "--quiet", "data/batches.dvc"], fresh.root) == ""
    assert not watch(fresh).found
    batches.git("pull", "--quiet", "origin", "main")
    must([command, "pull", "--quiet", "data/batches.dvc"], batches.root)
    assert (batches.root / "data/batches/february.csv").read_text() == MORE


def test_a_bad_file_keeps_the_others_out(batches: Small, hub: Hub, tmp_path: Path) -> None:
    before = state(batches)
    land(tmp_path / "landing/february.csv", MORE)
    land(tmp_path / "landing/march.csv", "id,delayed\n1,0\n")
    assert "columns are id,delayed" in watch(batches).outcomes[0].says
    assert state(batches) == before
    assert [file.name for file in (batches.root / "data/batches").iterdir()] == ["january.csv"]


# ---- dvc import-url ----


def test_an_imported_source_that_changed_is_taken(imported: Small, hub: Hub, tmp_path: Path) -> None:
    file = imported.root / "data/url.csv"
    assert watch(imported).outcomes[0].says.endswith("has not changed")
    assert file.read_text() == ROWS
    land(tmp_path / "source.csv", MORE)
    result = watch(imported)
    assert (result.outcomes[0].rows_before, result.outcomes[0].rows_after) == (2, 3)
    assert result.delivered and result.delivered.how == "push"
    assert file.read_text() == MORE
    assert not watch(imported).found


@pytest.mark.parametrize(
    ("text", "age", "status", "says"),
    [
        ("id,late\n", 3600, "refused", "has no rows"),
        ("id,delayed\n1,0\n", 3600, "refused", "columns are id,delayed"),
        (MORE, 1, "waits", "half-written"),
        (None, 0, "refused", "vanished"),
    ],
)
def test_an_imported_source_that_is_bad_leaves_the_workspace(
    imported: Small, hub: Hub, tmp_path: Path, text: str | None, age: int, status: str, says: str
) -> None:
    before = {**state(imported), "data": (imported.root / "data/url.csv").read_bytes()}
    if text is None:
        (tmp_path / "source.csv").unlink()
    else:
        land(tmp_path / "source.csv", text, age)
    (one,) = watch(imported).outcomes
    assert one.status == status
    assert says in one.says
    assert {**state(imported), "data": (imported.root / "data/url.csv").read_bytes()} == before
    assert len(hub.open) == (status == "refused")
