"""What a merge, and whatever else trains, leaves behind: tags, events, data, and calls of GitHub's API."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.act.flights import (
    CHECKS,
    DATA,
    GREEN,
    data_files,
    do_without_latency,
    events,
    merge,
    new_pointer,
    record,
)
from tests.act.forge import Forge
from tests.act.remotes import Folder
from tests.conftest import must

# ---- merges ----


def test_a_merge_becomes_a_version(forge_with_folder: Forge) -> None:
    forge = forge_with_folder
    main = forge.refs("refs/heads")["main"]
    outcome = forge.run("train.yml")
    outcome.must(jobs=GREEN)
    assert outcome.outputs["register"]["register"]["version"] == "v0.1.0"
    assert list(forge.refs()) == ["flights@v0.1.0"]
    assert forge.refs("refs/heads")["main"] == main
    made = record(forge, "v0.1.0")
    assert made["code"]["commit"] == outcome.commit
    assert made["trigger"]["event"] == "push"
    assert {gate["status"] for gate in made["gates"]} == {"pass"}
    assert [(file["path"], file["rows"]) for file in made["data"]] == [(DATA, 12000)]
    assert "first version" in made["description"].lower()
    found = [(event["stage"], event["status"]) for event in events(forge)]
    assert found[0] == ("run", "start")
    assert [stage for stage, status in found if status == "start"] == [
        *("run", "validate", "train", "gate", "hand-over", "register")
    ]
    assert forge.api.unknown == []


def test_what_changed_is_what_the_version_says_until_all_is_back(
    first: Forge, folder: Folder, tmp_path: Path
) -> None:
    forge, files = first, ("params.yaml", "pipeline/train.py", f"{DATA}.dvc")
    before = {path: (forge.work / path).read_text("utf-8") for path in files}
    merge(forge, "params.yaml", "learning_rate: 0.05", "learning_rate: 0.1")
    forge.run("train.yml").must(jobs=GREEN)
    says = record(forge, "v0.2.0")["description"]
    assert re.search(r"learning_rate.*0\.05.*0\.1", says)
    assert "Change params.yaml" in says

    merge(forge, "pipeline/train.py", '"median"', '"mean"')
    forge.merge("Take newer flights", {f"{DATA}.dvc": new_pointer(forge, folder, "f[500:]", tmp_path)})
    forge.run("train.yml").must(jobs=GREEN)  # the run of the merge before was lost
    made = record(forge, "v0.3.0")
    assert made["since"] == "v0.2.0"
    assert "pipeline/train.py" in made["description"]
    assert "Take newer flights" in made["description"]
    assert "Change pipeline/train.py" in made["description"]
    assert re.search(r"12,?000.*11,?500", made["description"])

    forge.merge("Go back", before)
    kept = data_files(folder)
    outcome = forge.run("train.yml", attempt=2)
    outcome.must(jobs=GREEN)
    assert outcome.outputs["register"]["register"]["outcome"] == "identical"
    assert outcome.outputs["register"]["register"]["version"] == "v0.1.0"
    assert data_files(folder) == kept
    assert any("Identical to v0.1.0" in message.text for message in outcome.messages)
    assert list(forge.refs()) == [f"flights@v0.{minor}.0" for minor in (1, 2, 3)]


def test_two_at_once_are_two_versions(first: Forge) -> None:
    forge = first
    one = merge(forge, "params.yaml", "learning_rate: 0.05", "learning_rate: 0.06")
    two = merge(forge, "params.yaml", "learning_rate: 0.06", "learning_rate: 0.07")
    with ThreadPoolExecutor(2) as both:
        for outcome in both.map(lambda commit: forge.run("train.yml", at=commit), (one, two)):
            outcome.must(jobs=GREEN)
    assert list(forge.refs()) == ["flights@v0.1.0", "flights@v0.2.0", "flights@v0.3.0"]
    made = {record(forge, version)["code"]["commit"] for version in ("v0.2.0", "v0.3.0")}
    assert made == {one, two}
    assert len({event["run"] for event in events(forge)}) == 2


# ---- day one, forks, pull requests ----


def test_without_a_remote_it_trains_on_the_sample(forge: Forge) -> None:
    outcome = forge.run("train.yml")
    outcome.must(jobs=GREEN)
    assert any("no remote" in message.text for message in outcome.messages)
    assert "no remote" in outcome.summaries["train"]["Report"]
    assert forge.refs() == {}


def test_a_pull_request_gets_one_comment(first: Forge, folder: Folder) -> None:
    forge, kept = first, folder.keys()
    forge.git("switch", "--quiet", "--create", "slower")
    text = (forge.work / "params.yaml").read_text("utf-8")
    forge.commit("Learn less", {"params.yaml": text.replace("max_iter: 100", "max_iter: 3")})
    number = forge.pull_request("slower")
    outcome = forge.run("ci.yml", "pull_request", pull=number)
    outcome.must(jobs=CHECKS | {"train": "failure", "comment": "success"})
    (comment,) = forge.api.comments
    first_text = comment["body"]
    assert "worse than v0.1.0" in first_text
    assert any("will retrain: train" in message.text for message in outcome.messages)

    forge.commit("Learn as before", {"params.yaml": text.replace("seed: 42", "seed: 43")})
    assert forge.pull_request("slower") == number
    again = forge.run("ci.yml", "pull_request", pull=number, only="comment")  # its checks are seen above
    again.must(jobs={"train": "success", "comment": "success"})
    (updated,) = forge.api.comments
    assert updated["id"] == comment["id"]
    assert updated["body"] != first_text
    assert list(forge.refs()) == ["flights@v0.1.0"]
    assert folder.keys() == kept
    assert forge.api.unknown == []


def test_a_fork_trains_on_the_sample_without_secrets(first: Forge, folder: Folder) -> None:
    forge = first
    forge.git("switch", "--quiet", "--create", "theirs")
    text = (forge.work / "params.yaml").read_text("utf-8")
    forge.commit("Learn faster", {"params.yaml": text.replace("learning_rate: 0.05", "learning_rate: 0.1")})
    number = forge.pull_request("theirs", fork=True)
    with folder.unreachable():
        outcome = forge.run("ci.yml", "pull_request", pull=number)
    outcome.must(jobs=CHECKS | {"train": "success"})
    assert "fork: trained on the committed sample, nothing registered" in outcome.notices
    assert forge.api.comments == []
    assert list(forge.refs()) == ["flights@v0.1.0"]


# ---- the other ways to have the kit, and another remote ----


def test_the_kit_in_the_repository_itself(mlops_new: Path, forge_with_folder: Forge, tmp_path: Path) -> None:
    forge = forge_with_folder
    do_without_latency(forge)
    must([mlops_new, tmp_path / "vendored" / "flights", "--kit", "vendored"], tmp_path)
    new = tmp_path / "vendored" / "flights"
    changed = [path for path in must(["git", "ls-files"], new).splitlines() if path.startswith(".github/")]
    forge.merge("Take the kit in", {path: (new / path).read_bytes() for path in changed})
    assert "mlops-new/mlops-new" not in (forge.work / ".github/workflows/train.yml").read_text()
    forge.run("train.yml").must(jobs=GREEN)
    assert list(forge.refs()) == ["flights@v0.1.0"]


def test_a_remote_on_s3(forge_with_s3: Forge) -> None:
    forge = forge_with_s3
    do_without_latency(forge)
    forge.run("train.yml").must(jobs=GREEN)
    assert list(forge.refs()) == ["flights@v0.1.0"]
