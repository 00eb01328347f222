"""What others put into names and reasons is text in the commit, the pull request and the alarm."""

from pathlib import Path

import pytest
from mlops_kit.base.errors import KitError
from mlops_kit.base.markdown import JOINER
from mlops_kit.new_data import deliver, deliver_text
from mlops_kit.new_data.deliver import Delivery, Look
from mlops_kit.project import contract as contracts

from tests.kit.small_repository import FILES, Hub, Small, github, small

WATCH = "new_data: {watch: [{pointer: data/raw.csv.dvc, folder: incoming}]}\n"
POINTER = FILES["data/raw.csv.dvc"]
HOSTILE = "new\n\nFixes #1 [skip ci]\n\nCo-authored-by: Boss <b@example.com> @octo [x](https://evil.example)"


@pytest.fixture
def one(tmp_path: Path) -> Small:
    return small(tmp_path / "flights", **{"mlops.yaml": FILES["mlops.yaml"] + WATCH})


def a_look(**more: object) -> Look:
    return Look.model_validate(
        {"pointer": "data/raw.csv.dvc", "status": "found", "says": "new data: april.csv"} | more
    )


def test_the_message_names_source_and_rows() -> None:
    left = Delivery(pointers={"data/raw.csv.dvc": POINTER}, looks=[a_look(rows_before=2, rows_after=1300)])
    assert deliver_text.message(left) == (
        "Take new data for data/raw.csv\n\ndata/raw.csv: new data: april.csv (2 -> 1,300 rows)\n"
    )
    assert deliver_text.message(Delivery(looks=[a_look()])) == ""


def test_a_name_adds_no_line_trailer_or_reference_to_the_commit() -> None:
    left = Delivery(pointers={"data/raw.csv.dvc": POINTER}, looks=[a_look(says=HOSTILE)])
    message = deliver_text.message(left)
    assert message.count("\n") == 3
    assert "#1" not in message and "[skip ci]" not in message and f"#{JOINER}1" in message
    assert "\nCo-authored-by" not in message and "@octo" not in message


def test_the_alarm_is_written_by_the_job_that_raises_it(one: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    hub: Hub = github(monkeypatch)
    left = Delivery(looks=[a_look(status="refused", says=HOSTILE)])
    deliver.update_alarms(one.repository, contracts.load(one.root), left)
    ((title, text),) = hub.open.values()
    assert title == "New data for data/raw.csv is refused"
    assert "from `incoming/*` was refused" in text
    for acts in ("#1", "@octo", "[x](", "https://evil", "\nFixes"):
        assert acts not in text
    good = Delivery(looks=[a_look(status="nothing", says=HOSTILE)])
    deliver.update_alarms(one.repository, contracts.load(one.root), good)
    assert not hub.open


@pytest.mark.parametrize("status", ["found", "nothing", "refused"])
def test_a_pointer_that_is_not_watched_neither_raises_nor_clears(
    status: str, one: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub: Hub = github(monkeypatch)
    left = Delivery(looks=[a_look(), a_look(pointer="data-drift", status=status)])
    with pytest.raises(KitError, match="data-drift is not a pointer"):
        deliver.update_alarms(one.repository, contracts.load(one.root), left)
    assert (hub.open, hub.closed) == ({}, [])


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("md5: 5d41402abc4b2a76b9719d911017c592", "md5: ../../x", "names no hash"),
        ("size: 5", "size: -5", "names no hash"),
        ("size: 5", "size: five", "names no hash"),
        ("size: 5", f"etag: {'x' * 300}", "names no hash"),
        ("path: raw.csv", "path: ../x", "in more than its hash"),
        ("hash: md5", "hash: md5\n  remote: evil", "in more than its hash"),
        ("outs:", "deps:\n- path: s3://evil/x\nouts:", "in more than its hash"),
    ],
)
def test_a_pointer_changes_by_its_hash_alone(old: str, new: str, says: str, one: Small) -> None:
    content = {"data/raw.csv.dvc": POINTER.replace(old, new).encode()}
    with pytest.raises(KitError, match=says):
        deliver.check_against(
            one.repository, contracts.load(one.root), content, one.repository.commit(), "main"
        )
