"""The generated repository's own workflows, green with and without a DVC remote."""

from tests.act.forge import Forge
from tests.act.remotes import S3, Folder


def test_a_pull_request_to_the_generated_repository_is_checked(forge: Forge) -> None:
    number = forge.pull_request("try")
    run = forge.run("ci.yml", "pull_request", pull=number)
    run.must({"lint": "success", "test": "success", "data": "success"})
    assert "Data not checked: no DVC remote." in run.summary


def test_a_merge_trains_on_the_sample_where_there_is_no_remote(forge: Forge) -> None:
    run = forge.run("train.yml").must({"train": "success"})
    assert "## no remote: trained on the committed sample" in run.summary


def test_a_merge_trains_on_the_data_in_a_folder(forge_with_folder: Forge, folder: Folder) -> None:
    run = forge_with_folder.run("train.yml").must({"train": "success"})
    assert "## trained on the data in the DVC remote" in run.summary
    with folder.unreachable():
        forge_with_folder.run("train.yml").must({"train": "failure"})


def test_a_merge_trains_on_the_data_in_an_s3(forge_with_s3: Forge, s3: S3) -> None:
    assert len(s3.keys()) > 5
    run = forge_with_s3.run("train.yml").must({"train": "success"})
    assert "## trained on the data in the DVC remote" in run.summary
    with s3.refusing("GET"):
        forge_with_s3.run("train.yml").must({"train": "failure"})
