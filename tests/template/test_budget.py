"""What a repository starts with: few files, short ones, and each of them used."""

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.conftest import must
from tests.template.rendered import copier_copy

READ_BY_PEOPLE, FOR_TOOLS = 30, 14
# Dotfiles and locks: what tools write or look for, and nobody opens to learn what the project does.
DOTFILES_AND_LOCKS = (
    ".[!g]*",
    ".git[!h]*",
    ".github/*.json",
    ".github/dependabot.yml",
    ".github/zizmor.yml",
    "*.dvc",
    "*.lock",
    "constraints.txt",
)
LINES = {"pipeline/*.py": 120, "README.md": 60, "AGENTS.md": 40, "docs/*.md": 120, "*.yaml": 60}

USED_BY = {  # what README.md does not name
    ".dvc/config": "every dvc command",
    ".gitattributes": "Git, on `git add`: LF everywhere",
    ".gitignore": "Git, on `git add`: the data, what a run makes and DVC's cache stay out",
}


@pytest.fixture(scope="module")
def files(trained: Path) -> list[str]:
    return must(["git", "ls-files"], trained).splitlines()


def matching(files: list[str], *patterns: str) -> list[str]:
    return [file for file in files if any(fnmatch(file, pattern) for pattern in patterns)]


def test_a_person_finds_few_files(files: list[str]) -> None:
    tools = matching(files, *DOTFILES_AND_LOCKS)
    people = sorted(set(files) - set(tools))
    assert len(tools) <= FOR_TOOLS, tools
    assert len(people) <= READ_BY_PEOPLE, people


@pytest.mark.parametrize("pattern", LINES)
def test_the_files_are_short(pattern: str, files: list[str], trained: Path) -> None:
    lengths = {
        file: len((trained / file).read_text("utf-8").splitlines()) for file in matching(files, pattern)
    }
    assert lengths
    assert {file: n for file, n in lengths.items() if n > LINES[pattern]} == {}


def test_every_file_is_named_in_the_readme_or_used(files: list[str], trained: Path) -> None:
    named = set(re.findall(r"`([^`\s]+)`", (trained / "README.md").read_text("utf-8")))
    explained = {
        file
        for file in files
        if any(file == name or (file.startswith(name) and name.endswith("/")) for name in named)
    }
    explained |= {"README.md", *matching(files, *USED_BY)}
    assert sorted(set(files) - explained) == []
    assert [pattern for pattern in USED_BY if not matching(files, pattern)] == []


def test_what_the_readme_names_is_there(trained: Path) -> None:
    text = (trained / "README.md").read_text("utf-8")
    table = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    named = [name for cell in table for name in re.findall(r"`([^`]+)`", cell)]
    assert len(named) > 10
    assert [name for name in named if not (trained / name).exists()] == []


def content(tree: Path) -> dict[str, bytes]:
    paths = sorted(path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file())
    return {
        path: (tree / path).read_bytes() for path in paths if not path.startswith((".git/", ".dvc/cache/"))
    }


def test_plain_copier_makes_the_same_tree(mlops_new: Path, tmp_path: Path) -> None:
    copier_copy(mlops_new, tmp_path / "by-copier", project_name="flights", remote="s3://bucket/x")
    must([mlops_new, "flights", "--remote", "s3://bucket/x"], tmp_path)
    ours, copiers = content(tmp_path / "flights"), content(tmp_path / "by-copier")
    assert ours.pop("uv.lock")  # Copier starts no uv
    assert list(ours) == list(copiers)
    assert [path for path in ours if ours[path] != copiers[path]] == []
