"""A push or a pull that fails names the remote, its address and DVC's reason, and no credentials."""

import pytest
from mlops_kit.base.errors import KitError
from mlops_kit.project.repository import Remote, Repository
from mlops_kit.project.transfer import transfer

from tests.kit.doctor.harness import connected

URL = "https://bob:hunter2@host/bucket?sig=hunter2"


def failing(repository: Repository, said: str) -> str:
    """A DVC that keeps its reasons to itself where it is to be quiet, as the real one does."""
    (repository.root / "dvc.sh").write_text(
        f'case "$*" in *quiet*) ;; *) printf "{said}" >&2;; esac; exit 255\n'
    )
    with pytest.raises(KitError) as failed:
        transfer(repository, "sh dvc.sh", "push", "--run-cache")
    assert failed.value.do.endswith("`mlops-kit doctor` looks.")
    return failed.value.what


def test_remote_address_and_reason_are_named(repository: Repository) -> None:
    connected(repository, URL)
    said = f"WARNING: slow\\nERROR: cannot connect to {URL}\\n\\nHaving any troubles? Hit us up at https://dvc.org/support\\n"
    assert failing(repository, said) == (
        "`dvc push` failed with the remote storage (https://host/bucket):\n"
        "ERROR: cannot connect to https://host/bucket"
    )


def test_without_a_word_the_code_is_told(repository: Repository) -> None:
    connected(repository, URL)
    assert failing(repository, "").endswith(":\nit ended with 255 and said nothing")


def test_without_a_remote_that_is_said(repository: Repository) -> None:
    said = failing(repository, "ERROR: no remote")
    assert said == "`dvc push` failed with no default remote:\nERROR: no remote"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("s3://bucket/x", "s3://bucket/x"),
        ("ssh://ada@host:22/x", "ssh://host:22/x"),
        ("../../storage", "../../storage"),
        ("https://a:p@ss@host/x?token=1", "https://host/x"),
    ],
)
def test_what_is_shown_of_an_address(url: str, shown: str) -> None:
    assert Remote("storage", url).shown == shown
