"""The template, rendered by Copier with answers that nobody is asked for."""

import signal
import threading
import time
from pathlib import Path
from typing import Any

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


def test_ctrl_c_as_the_template_begins_to_be_unpacked_waits_for_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its folder is removed next, in which nobody may be writing then."""
    start: Any = threading.Thread.start
    ended = []

    def interrupted(thread: threading.Thread) -> None:
        start(thread)
        signal.raise_signal(signal.SIGINT)

    def unpack() -> None:
        time.sleep(0.2)
        ended.append(True)

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        render.import_copier(meanwhile=unpack)
    assert ended
