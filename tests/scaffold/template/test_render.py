"""The template, rendered by Copier with answers that nobody is asked for."""

from pathlib import Path

import pytest
from mlops_new.base.errors import MlopsNewError
from mlops_new.template import render

TEMPLATE = "_subdirectory: files\nkit:\n  type: str\n  choices: [remote, vendored]\n  default: remote\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "made" / "of"
    (tree / "files").mkdir(parents=True)
    (tree / "copier.yml").write_text(TEMPLATE, encoding="utf-8")
    (tree / "files/kit.txt.jinja").write_text("{{ kit }}\n", encoding="utf-8")
    return tree


def test_an_answer_is_rendered(tree: Path, tmp_path: Path) -> None:
    render.render_tree(tree, tmp_path / "into", {"kit": "vendored"})
    assert (tmp_path / "into/kit.txt").read_text(encoding="utf-8") == "vendored\n"


def test_an_answer_that_is_no_choice_is_refused(tree: Path, tmp_path: Path) -> None:
    with pytest.raises(MlopsNewError, match="'borrowed' is not in"):
        render.render_tree(tree, tmp_path / "into", {"kit": "borrowed"})
