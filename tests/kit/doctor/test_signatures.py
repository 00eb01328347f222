"""`doctor` looks at the provenance of the version in use."""

import pytest
from mlops_kit.project import commits
from mlops_kit.project.repository import Repository
from mlops_kit.versions import record

from tests.conftest import must
from tests.kit.doctor.harness import found


def test_without_a_version_there_is_nothing_to_check(repository: Repository) -> None:
    assert found(repository, "signatures").status == "ok"


@pytest.mark.parametrize(
    ("signing", "status"),
    [("{}", "ok"), ("{keys: [team.pub]}", "warn"), ("{required: true, keys: [team.pub]}", "fail")],
)
def test_a_version_that_is_not_signed(signing: str, status: str, with_version: Repository) -> None:
    file = with_version.root / "mlops.yaml"
    file.write_text(f"{file.read_text()}signing: {signing}\n")
    one = found(with_version, "signatures")
    assert one.status == status
    assert "a kit without it registered the version" in one.says


def test_a_provenance_that_does_not_fit_is_a_failure(with_version: Repository) -> None:
    tag = "flights@v0.1.0"
    made = commits.commit(with_version, with_version.commit(tag), {record.PROVENANCE: b"[]"}, "x")
    must(["git", "tag", "--force", "--annotate", "--message=x", tag, made], with_version.root)
    one = found(with_version, "signatures")
    assert one.status == "fail" and "it is not a statement" in one.says
