"""Buckets, folders that grow, and what was imported from elsewhere."""

from pathlib import Path

import pytest

from tests.act.remotes import CREDENTIALS, S3Server
from tests.conftest import must
from tests.kit.new_data.files import MORE, ROWS, land, state, watch
from tests.kit.small_repository import Hub, Small, clone


def test_a_bucket_is_a_folder_too(flights_at: Small, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing but the environment that S3's own clients read, and no further library."""
    with S3Server() as server:
        for name, value in (CREDENTIALS | {"AWS_ENDPOINT_URL": server.url}).items():
            monkeypatch.setenv(name, value)
        server.client.create_bucket(Bucket="landing")
        flights_at.edit("mlops.yaml", "../landing", "s3://landing/new")
        assert watch(flights_at).outcomes[0].says == "nothing has landed in s3://landing/new/*.csv"
        assert hub.open == {}
        server.client.put_object(Bucket="landing", Key="new/april.csv", Body=MORE.encode())
        assert watch(flights_at).outcomes[0].status == "waits"
        flights_at.edit("mlops.yaml", "settle_seconds: 60", "settle_seconds: 0")
        flights_at.commit("Wait for nothing: an object is whole")
        flights_at.git("push", "--quiet", "origin", "main")
        assert watch(flights_at).outcomes[0].says == "new data: april.csv"
        server.client.delete_object(Bucket="landing", Key="new/april.csv")
        assert "is empty now: what was taken from there vanished" in watch(flights_at).outcomes[0].says
        assert len(hub.open) == 1
    assert (flights_at.root / "data/raw.csv").read_text() == MORE


def test_a_bucket_that_is_not_there_raises_an_alarm(
    flights_at: Small, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    with S3Server() as server:
        for name, value in (CREDENTIALS | {"AWS_ENDPOINT_URL": server.url}).items():
            monkeypatch.setenv(name, value)
        flights_at.edit("mlops.yaml", "../landing", "s3://landign/new")
        assert "s3://landign/new is not there" in watch(flights_at).outcomes[0].says
    assert len(hub.open) == 1


def test_a_login_that_fails_refuses_the_data(flights_at: Small, hub: Hub) -> None:
    """Azure's client raises an error of Arrow's own, here at once: no token goes over a line without TLS."""
    address = "abfs://account@127.0.0.1:9/landing/new?enable_tls=false"
    flights_at.edit("mlops.yaml", "../landing", address)
    (outcome,) = watch(flights_at).outcomes
    assert outcome.status == "refused" and outcome.says.startswith(f"{address} cannot be read: ")


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
