"""The scheduled check: a log that is gone, and training data that drifted from version to version."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from mlops_kit.alerts import heartbeat
from mlops_kit.base.errors import KitError
from mlops_kit.monitoring import history
from mlops_kit.project import snapshot
from mlops_kit.runs import events
from mlops_kit.runs import log as runs
from pyarrow import parquet

from tests.act.api import Api
from tests.act.remotes import CREDENTIALS, S3Server
from tests.conftest import Once, must
from tests.kit.builders import a_record
from tests.kit.monitoring.log_repository import MLOPS, log, repository, table
from tests.kit.small_repository import Small, dvc, kit

LOG = MLOPS.replace("monitoring: {", "monitoring: {log: log.jsonl, ")


@pytest.fixture
def made(tmp_path: Path) -> Small:
    one = repository(tmp_path / "flights")
    one.write("mlops.yaml", LOG)
    return one


def check(made: Small) -> tuple[str, list[str]]:
    """State of what runs, and the kinds of its alarms."""
    done = made.kit("monitor", "check", "--json")
    assert done.code in (0, 10), done.said
    found: dict[str, Any] = json.loads(done.stdout)["infrastructure"]
    return found["state"], [one["kind"] for one in found["alarms"]]


def test_a_log_that_is_gone_is_silence_and_one_that_never_was_is_none(made: Small) -> None:
    path = made.root / "log.jsonl"
    path.write_text("")
    assert check(made) == ("not connected", [])
    path.unlink()
    assert check(made) == ("not connected", [])
    log(path, table(3, 300))
    assert check(made) == ("fine", [])
    path.write_text("")
    assert check(made) == ("alarm", ["silence"])
    path.unlink()
    assert check(made) == ("alarm", ["silence"])
    log(path, table(4, 300))
    assert check(made) == ("fine", [])
    path.unlink()
    made.write("mlops.yaml", MLOPS)  # whoever takes the log out of mlops.yaml is not asked for it
    assert check(made) == ("not connected", [])


def test_a_log_in_a_bucket_is_connected_by_its_first_prediction(
    made: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bucket knows no empty folder; one that is not there itself is misspelt."""
    log(tmp_path / "log.jsonl", table(3, 300))
    with S3Server() as server:
        for name, value in (CREDENTIALS | {"AWS_ENDPOINT_URL": server.url}).items():
            monkeypatch.setenv(name, value)
        server.client.create_bucket(Bucket="predictions")
        made.write("mlops.yaml", LOG.replace("log.jsonl", "s3://predictions/flights/*.jsonl"))
        assert check(made) == ("not connected", [])
        server.client.upload_file(str(tmp_path / "log.jsonl"), "predictions", "flights/today.jsonl")
        assert check(made) == ("fine", [])
        server.client.delete_object(Bucket="predictions", Key="flights/today.jsonl")
        assert check(made) == ("alarm", ["silence"])
        made.write("mlops.yaml", LOG.replace("log.jsonl", "s3://prediction/flights/*.jsonl"))
        done = made.kit("monitor", "check")
        assert done.code == 1 and "s3://prediction/flights is not there" in done.stderr


def test_labels_that_have_not_come_yet_are_unknown_and_then_found_from_any_folder(made: Small) -> None:
    rows = table(3, 300)
    log(made.root / "log.jsonl", rows)
    made.write("mlops.yaml", LOG.replace("{log: ", "{labels: came-true/*.parquet, log: "))
    (made.root / "deep").mkdir()

    def concept() -> dict[str, Any]:
        done = kit(made.root / "deep", "monitor", "check", "--json")
        assert done.code == 0, done.said
        found: dict[str, Any] = json.loads(done.stdout)["concept"]
        return found

    assert (concept()["state"], concept()["notes"]) == ("unknown", ["no label has come yet"])
    (made.root / "came-true").mkdir()
    parquet.write_table(pa.table({"id": rows["id"], "late": rows["late"]}), made.root / "came-true/1.parquet")
    assert (concept()["state"], concept()["labelled"]) == ("holds", 300)


def test_a_line_of_next_year_does_not_empty_the_window(made: Small) -> None:
    path = made.root / "log.jsonl"
    log(path, table(3, 300))
    line = json.loads(path.read_text().splitlines()[0])
    line["time"] = (datetime.now(UTC) + timedelta(days=365)).isoformat()
    with path.open("a") as stream:
        stream.write(json.dumps(line) + "\n")
    done = made.kit("monitor", "check", "--json")
    found = json.loads(done.stdout)
    assert found["data"]["n"] == 301, done.said
    assert [one["kind"] for one in found["findings"]] == ["clock"]


def test_the_window_is_the_last_days_of_the_log(made: Small) -> None:
    """Ten days ago x was another; a window of twice as many days holds that too."""
    path, before = made.root / "log.jsonl", table(5, 300)
    log(path, before | {"x": before["x"] + 2})
    old = [json.loads(line) for line in path.read_text().splitlines()]
    log(path, table(3, 300))
    for line in old:
        line["time"] = (datetime.fromisoformat(line["time"]) - timedelta(days=10)).isoformat()
    path.write_text("".join(f"{json.dumps(line)}\n" for line in old) + path.read_text())
    found = {}
    for days in (7, 14):
        made.write("mlops.yaml", LOG.replace("{log: ", f"{{window_days: {days}, log: "))
        said = json.loads(made.kit("monitor", "check", "--json").stdout)
        found[days] = said["data"]["n"], said["infrastructure"]["rows"], said["data"]["state"]
    assert found == {7: (300, 300, "no drift"), 14: (600, 600, "drift")}


def test_a_look_at_the_log_by_hand_is_none_of_the_schedule(made: Small) -> None:
    """It counts neither for the review nor for training again."""
    log(made.root / "log.jsonl", table(3, 300))
    for words in ([], ["--window", "log.jsonl"]):
        assert made.kit("monitor", "check", *words).code == 0
    known = list(runs.read(made.repository).every())
    assert [one["window"] for one in known if one["stage"] == "monitor" and one.get("window")] == [
        "log.jsonl"
    ] * 2
    (counted,) = history.checks(known, "log.jsonl")
    assert "by_hand" not in counted
    assert len(history.checks(known, None)) == 2


def test_the_command_in_an_issue_looks_at_the_same_window_later(made: Small) -> None:
    path, rows = made.root / "log.jsonl", table(5, 300)
    log(path, rows | {"x": rows["x"] + 2})
    first = made.kit("monitor", "check", "--json")
    outcome = json.loads((made.root / ".mlops/monitoring/outcome.json").read_text("utf-8"))
    setting, *command = outcome["again"].split()
    assert command == ["mlops-kit", "monitor", "check"]
    more = [json.loads(line) for line in path.read_text().splitlines()]
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    with path.open("a") as stream:
        stream.writelines(f"{json.dumps(line | {'time': later})}\n" for line in more)
    again = made.kit(*command[1:], "--json", **dict([setting.split("=")]))
    then, now = (json.loads(done.stdout) for done in (first, again))
    assert [one["identity"] for one in (then, now)] == [then["identity"]] * 2
    assert [one["data"] for one in (then, now)] == [then["data"]] * 2
    assert now["findings"] == then["findings"] and then["data"]["n"] == 300


def test_only_a_check_that_came_to_its_end_is_a_sign_of_life(made: Small) -> None:
    ran = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "schedule"}

    def published() -> list[str]:
        return made.git("ls-tree", "-r", "--name-only", events.BRANCH).split()

    log(made.root / "log.jsonl", table(3, 300))
    made.write("mlops.yaml", LOG.replace("train.parquet", "gone.parquet"))
    assert made.kit("monitor", "check", **ran, GITHUB_RUN_ID="1").code == 1
    assert len(published()) == 1 and heartbeat.FILE not in published()
    made.write("mlops.yaml", LOG)
    assert made.kit("monitor", "check", **ran, GITHUB_RUN_ID="2").code == 0
    assert heartbeat.FILE in published()


@pytest.fixture
def versions(made: Small, once: Once, tmp_path: Path) -> Small:
    """Two of them, the second of which was trained on other amounts."""
    command = dvc(once)
    outputs = "[train.parquet, test.parquet, evaluated.parquet]"
    made.write("mlops.yaml", MLOPS + f"commands: {{dvc: {command}}}\n")
    made.write("dvc.yaml", f"stages:\n  train:\n    cmd: 'true'\n    outs: {outputs}\n")
    must([command, "init", "--quiet"], made.root)
    must([command, "remote", "add", "--default", "storage", tmp_path / "remote"], made.root)
    for name, times in (("v0.1.0", 1), ("v0.2.0", 3)):
        rows = table(1, 4000)
        rows["amount"] = np.asarray(rows["amount"]) * times
        parquet.write_table(pa.table(rows), made.root / "train.parquet")
        must([command, "commit", "--force", "--quiet", "train"], made.root)
        made.write("record.json", a_record("a" * 40, name).text())
        made.commit(name)
        must([command, "push", "--quiet"], made.root)
        made.git("tag", "--annotate", f"flights@{name}", "--message", name)
    return made


def test_the_command_of_an_issue_names_the_version_that_was_compared_with(versions: Small) -> None:
    """A week later another one may be in use."""
    log(versions.root / "log.jsonl", table(3, 300))
    now = versions.kit("monitor", "check", "--window", "log.jsonl", "--against", "v0.1.0", "--json")
    assert now.code in (0, 10), now.said
    assert json.loads(now.stdout)["version"] == "v0.1.0"
    assert "amount" not in now.stdout.partition("findings")[2].partition("judged")[0]
    again = json.loads((versions.root / ".mlops/monitoring/outcome.json").read_text("utf-8"))["again"]
    assert again.endswith(" mlops-kit monitor check --window log.jsonl --against v0.1.0")
    done = versions.kit("monitor", "check", "--window", "log.jsonl")
    assert done.code == 10 and "log.jsonl against v0.2.0" in done.stdout
    gone = versions.kit("monitor", "check", "--window", "log.jsonl", "--against", "v9.0.0")
    assert gone.code == 1 and "flights has no version 'v9.0.0'" in gone.stderr


def moved(made: Small) -> list[str]:
    done = made.kit("monitor", "check", "--json")
    assert done.code in (0, 10), done.said
    return [one["what"] for one in json.loads(done.stdout)["findings"] if one["kind"] == "training-data"]


def test_training_data_that_moved_is_told_once_and_not_lost(versions: Small, on_github: Api) -> None:
    first = moved(versions)
    assert len(first) == 1
    assert first[0].startswith("v0.2.0 against v0.1.0: amount: ")
    assert moved(versions) == first  # nobody was told yet
    on_github.fail("POST", "/issues$", 403, 1, message="Resource not accessible by integration")
    assert versions.kit("alert").code == 1
    assert moved(versions) == first
    assert versions.kit("alert").code == 0
    (issue,) = on_github.issues
    assert issue["title"] == "Data drift in the training data"
    assert "Close this issue when you have looked" in issue["body"]
    assert moved(versions) == []
    assert versions.kit("alert").code == 0
    assert issue["state"] == "open"  # to be looked at, and not said again once it is closed


def test_without_a_remote_training_data_is_compared_by_the_cache(versions: Small, once: Once) -> None:
    must([dvc(once), "remote", "remove", "storage"], versions.root)
    (found,) = moved(versions)
    assert found.startswith("v0.2.0 against v0.1.0: amount: ")


def test_a_file_of_a_folder_is_had_from_the_cache_too(made: Small, once: Once, tmp_path: Path) -> None:
    command, file = dvc(once), made.root / "prepared/train.csv"
    made.write("dvc.yaml", "stages:\n  train:\n    cmd: 'true'\n    outs: [prepared]\n")
    must([command, "init", "--quiet"], made.root)
    file.parent.mkdir()
    for name in ("v1", "v2"):
        file.write_text(name)
        must([command, "commit", "--force", "--quiet", "train"], made.root)
        made.commit(name)
        made.git("tag", name)
    version = snapshot.take(made.repository, "v1", tmp_path, "false")  # no DVC that could be asked
    assert version.file("prepared/train.csv").read_text() == "v1"
    (kept,) = (
        path for path in (made.root / ".dvc/cache").rglob("*") if path.is_file() and path.read_text() == "v1"
    )
    kept.chmod(0o644)
    kept.write_text("v3")  # a cache that is not what it says is not believed
    (tmp_path / "prepared/train.csv").unlink()
    with pytest.raises(KitError, match=r"prepared/train.csv of v1 cannot be had"):
        version.file("prepared/train.csv")
    helpful = tmp_path / "helpful"  # as DVC ends where a folder's list is gone
    helpful.write_text(
        "#!/bin/sh\nprintf 'ERROR: gone\\n\\nHaving any troubles? Hit us up\\n' >&2\nexit 255\n"
    )
    helpful.chmod(0o755)
    asked = snapshot.take(made.repository, "v1", tmp_path / "asked", str(helpful))
    with pytest.raises(KitError, match="cannot be had: ERROR: gone\nWas it pushed"):
        asked.file("prepared/train.csv")
