"""Copier where nobody is asked: the libraries that ask are not imported, and answers are checked as ever."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import Environment, Template
from mlops_new.base.errors import MlopsNewError
from mlops_new.template import render, unasked

LIBRARIES = ("questionary", "prompt_toolkit", "pygments")
TEMPLATE = "_subdirectory: files\nkit:\n  type: str\n  choices: [remote, vendored]\n  default: remote\n"
RENDERED = f"""
import sys
from pathlib import Path
from typing import Any
from mlops_new.template import render

render.render_tree(Path("made/of"), Path("into"), {{"kit": "vendored"}})
print([name for name in {LIBRARIES} if name in sys.modules])
import questionary
from prompt_toolkit.lexers import PygmentsLexer
print(questionary.__version__, PygmentsLexer.__module__)
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "made" / "of"
    (tree / "files").mkdir(parents=True)
    (tree / "copier.yml").write_text(TEMPLATE, encoding="utf-8")
    (tree / "files/kit.txt.jinja").write_text("{{ kit }}\n", encoding="utf-8")
    return tree


def test_a_template_is_rendered_without_the_libraries_that_ask(tree: Path) -> None:
    folder = tree.parent.parent
    ran = subprocess.run(
        [sys.executable, "-c", RENDERED], cwd=folder, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    imported, later = ran.stdout.splitlines()
    assert imported == "[]"
    assert later.endswith("prompt_toolkit.lexers.pygments")
    assert (folder / "into/kit.txt").read_text(encoding="utf-8") == "vendored\n"


def test_an_answer_that_is_no_choice_is_still_refused(tree: Path, tmp_path: Path) -> None:
    with pytest.raises(MlopsNewError, match="'borrowed' is not in"):
        render.render_tree(tree, tmp_path / "into", {"kit": "borrowed"})


def test_a_text_is_compiled_once_and_the_libraries_are_left_as_they_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compiled: list[object] = []
    as_it_was = Environment.from_string

    def counted(environment: Environment, source: str) -> Template:
        compiled.append(source)
        return as_it_was(environment, source)

    monkeypatch.setattr(Environment, "from_string", counted)
    environment, loader = Environment(), yaml.SafeLoader
    with unasked.hurried():
        rendered = [environment.from_string(text).render() for text in ("[{{ 1 }}]", "2", "[{{ 1 }}]", "2")]
        no_texts: list[Any] = [True, ["2"]]  # which Copier asks for all the same
        for value in no_texts:
            with pytest.raises(TypeError):
                environment.from_string(value)
    assert rendered == ["[1]", "2", "[1]", "2"]
    assert compiled == ["[{{ 1 }}]", "2", True]
    assert Environment.from_string is counted
    assert yaml.SafeLoader is loader
