"""What is refused before anything is written: credentials in addresses, and places that are another project's."""

import os
from pathlib import Path

import pytest
from mlops_new.base.errors import MlopsNewError
from mlops_new.create import create
from mlops_new.create.request import CreateRequest, check_request

from tests.conftest import must


@pytest.mark.parametrize(
    "remote",
    [
        "s3://AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI@bucket/path",
        "https://user:hunter2@example.com/dvc",
        "webdavs://user:hunter2@example.com/dvc",
        "ssh://user:hunter2@example.com/dvc",
        "https://example.com/dvc?sig=abcdef&se=2027",
        "azure://container/path?token=abcdef",
    ],
)
def test_credentials_in_an_address_are_refused_and_not_repeated(remote: str, tmp_path: Path) -> None:
    with pytest.raises(MlopsNewError, match="holds credentials") as refused:
        check_request(CreateRequest(tmp_path / "churn", remote=remote), tmp_path / "churn")
    assert "dvc remote modify --local" in refused.value.do
    for secret in ("hunter2", "wJalrXUtnFEMI", "abcdef"):
        assert secret not in str(refused.value)


@pytest.mark.parametrize(
    "remote",
    ["s3://bucket/path", "ssh://user@example.com/dvc", "ssh://user@example.com:2222/dvc", "../folder"],
)
def test_addresses_without_them_are_taken(remote: str, tmp_path: Path) -> None:
    check_request(CreateRequest(tmp_path / "churn", remote=remote), tmp_path / "churn")


@pytest.mark.parametrize(
    ("workspace", "place", "refused"),
    [
        ('members = ["models/*"]', "models/churn", True),
        ('members = ["models/**"]', "models/eu/churn", True),
        ('members = ["models/*"]', "models/eu/churn", False),
        ('members = ["models/*"]\nexclude = ["models/churn"]', "models/churn", False),
        ('members = ["packages/*"]', "models/churn", False),
        ("members = 3", "models/churn", False),
    ],
)
def test_a_uv_workspace_above_that_would_take_it(
    workspace: str, place: str, refused: bool, tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.uv.workspace]\n{workspace}\n")
    target = tmp_path / place
    request = CreateRequest(target)
    if not refused:
        check_request(request, target)
        return
    with pytest.raises(MlopsNewError, match="is a uv workspace whose members") as error:
        check_request(request, target)
    assert f'exclude = ["{place}"]' in error.value.do


@pytest.mark.parametrize("pattern", ["data/", "*.csv", "*.dvc", "*"])
def test_a_persons_own_list_of_ignored_files_keeps_nothing_out(
    pattern: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def committed() -> list[str]:
        draft = tmp_path / f"draft-{len(list(tmp_path.iterdir()))}"
        for name in ("data/t.csv.dvc", "data/sample.csv", "README.md", ".gitignore", "model.bin"):
            (draft / name).parent.mkdir(parents=True, exist_ok=True)
            (draft / name).write_text("/model.bin\n")
        create._first_commit(draft, "churn")
        return must(["git", "ls-files"], draft).splitlines()

    before = committed()
    (tmp_path / "ignored").write_text(f"{pattern}\n")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.excludesFile")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(tmp_path / "ignored"))
    assert committed() == before == [".gitignore", "README.md", "data/sample.csv", "data/t.csv.dvc"]
    assert os.environ["GIT_CONFIG_COUNT"] == "1"
