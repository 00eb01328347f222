"""Edits that nobody thought of: drawn, not written."""

import shutil
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import must
from tests.growth.projects import commit, files_of, loss, update
from tests.growth.stand_ins import CHOICES

KINDS = ("insert", "drop", "replace", "delete", "rename", "copy", "bytes")
EDIT = st.tuples(
    st.sampled_from(KINDS),
    st.integers(0, 999),  # which file
    st.integers(0, 999),  # which line
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
)


def change(at: Path, kind: str, which: int, where: int, text: str) -> None:
    names = must(["git", "ls-files", "-z"], at).split("\0")[:-1]
    file = at / names[which % len(names)]
    if not file.is_file() or file.name == ".copier-answers.yml":
        return
    lines = file.read_bytes().splitlines(keepends=True)
    here = where % (len(lines) + 1)
    if kind == "insert":
        lines.insert(here, text.encode() + b"\n")
    elif kind == "drop":
        del lines[here : here + 3]
    elif kind == "replace":
        lines[here : here + 1] = [text.encode()]
    if kind in ("insert", "drop", "replace"):
        file.write_bytes(b"".join(lines))
    elif kind == "delete":
        file.unlink()
    elif kind == "rename":
        file.rename(file.with_name(f"renamed-{file.name}"))
    elif kind == "copy":
        shutil.copy(file, file.with_name(f"copy-of-{file.name}"))
    else:
        file.with_name(f"raw-{which}").write_bytes(text.encode("utf-16"))


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    database=None,
)
@given(edits=st.lists(EDIT, min_size=1, max_size=6), choice=st.sampled_from(CHOICES))
def test_adding_changes_nothing_else(
    edits: list[tuple[str, int, int, str]], choice: tuple[str, str], seed: Path, tmp_path: Path
) -> None:
    at = tmp_path / "flights"
    shutil.rmtree(at, ignore_errors=True)
    shutil.copytree(seed, at, symlinks=True)
    for edit in edits:
        change(at, *edit)
    if not must(["git", "status", "--porcelain"], at):
        return
    commit(at, "Edit")
    answers = dict([choice])
    changes = update(at, answers)
    broken_before = [file for file in changes.broken if file.file not in changes.added]
    assert not broken_before, "only what was added or changed may be named"
    assert loss(changes, files_of(at, answers)) == ""
