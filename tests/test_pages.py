"""The documentation as a reader meets it: the site builds without a broken link, and each page can be followed."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import pages
from tests.conftest import ROOT, must, run

HOW_TO = ROOT / "docs/how-to"
OTHERS = {
    "adopt",
    "grow",
    "monitor",
    "versions",
}  # need another repository: below, and in tests/scaffold/adopt
FOLLOWED = sorted(
    page.stem
    for page in HOW_TO.glob("*.md")
    if page.stem not in OTHERS and any(isinstance(step, pages.Command) for step in pages.steps(page))
)


def follow(page: Path, folder: Path, **more: str) -> str:
    """Do what the page says in the folder, with the kit on the PATH. Returns what was printed."""
    kit = Path(sys.executable).parent / "mlops-kit"
    beside = folder.parent / "bin"
    beside.mkdir()
    (beside / "mlops-kit").symlink_to(kit)
    script = folder.parent / "page.sh"
    script.write_text(pages.script(page), "utf-8")
    path = os.pathsep.join((str(beside), more.pop("PATH", os.environ["PATH"])))
    done = run(["sh", "-x", script], folder, PATH=path, **more)
    assert done.code == 0, done.said
    return done.said


def test_the_site_has_no_broken_link_and_shows_every_page(tmp_path: Path) -> None:
    mkdocs = Path(sys.executable).with_name("mkdocs")
    done = run([mkdocs, "build", "--strict", "--site-dir", tmp_path / "site"], ROOT, NO_MKDOCS_2_WARNING="1")
    assert done.code == 0, done.said
    assert (tmp_path / "site/tutorial/index.html").is_file()


@pytest.mark.parametrize("page", FOLLOWED)
def test_a_how_to_page_can_be_followed(page: str, flights: Path) -> None:
    follow(HOW_TO / f"{page}.md", flights)
    assert (flights / "metrics.json").is_file()


def test_these_pages_are_followed() -> None:
    """A page that loses its steps would be no test."""
    assert len(FOLLOWED) == 9


def test_the_tutorial(mlops_new: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tutorial"
    folder.mkdir()
    said = follow(
        ROOT / "docs/tutorial.md", folder, PATH=os.pathsep.join((str(mlops_new.parent), os.environ["PATH"]))
    )
    assert "better than v0.1.0" in said
    assert "temperature: median" in said and "exit code 10" in said
    tags = must(["git", "tag"], folder / "flights").split()
    assert tags == [
        *(f"flights#production#{number}" for number in (1, 2, 3)),
        "flights@v0.1.0",
        "flights@v0.2.0",
    ]


def test_a_page_stops_where_a_step_does_not_do_what_it_says(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    for text in ("```sh\nfalse\n```", "```sh\ntrue  # exits with 10\n```", '```diff title="a"\n-x\n+y\n```'):
        page.write_text(text + "\n", "utf-8")
        (tmp_path / "a").write_text("z\n", "utf-8")
        assert run(["sh", "-c", pages.script(page)], tmp_path).code != 0


def test_how_a_repository_grows(mlops_new: Path, tmp_path: Path) -> None:
    """The page's commands in a new repository. There is no newer template, and the page's checks say so."""
    must([mlops_new, "flights"], tmp_path)
    flights = tmp_path / "flights"
    said = follow(
        HOW_TO / "grow.md", flights, PATH=os.pathsep.join((str(mlops_new.parent), os.environ["PATH"]))
    )
    assert "Switched orchestration=prefect to orchestration=airflow:" in said
    assert "nothing newer." in said
    log = must(["git", "log", "--format=%s"], flights).splitlines()
    assert log[:3] == ["Remove orchestration", "Switch to Airflow", "Add orchestration=prefect"]
    assert must(["git", "diff", "--stat", "HEAD~3"], flights) == ""


def test_the_page_about_monitoring(flights: Path) -> None:
    """In a project that was trained and has no version yet."""
    said = follow(HOW_TO / "monitor.md", flights)
    assert "Training: no run on main yet" in said
    assert "Concept drift: unknown since" in said
    assert "At most one false alarm in 100 checks" in said
    assert "mlops.yaml has no `retrain`" in said
    assert (flights / ".mlops/review/review.html").is_file()
    assert must(["git", "status", "--porcelain"], flights) == ""


def test_the_page_about_versions(versioned: Path, copy_of: Callable[[Path], Path]) -> None:
    """In a project that has trained twice."""
    flights = copy_of(versioned)
    params = flights / "params.yaml"
    params.write_text(params.read_text().replace("learning_rate: 0.05", "learning_rate: 0.1"))
    must(["git", "commit", "--quiet", "--all", "--no-verify", "--message=Rate"], flights)
    for command in ("train", "gate", "register"):
        must([Path(sys.executable).with_name("mlops-kit"), command], flights)
    said = follow(HOW_TO / "versions.md", flights)
    assert "From v0.1.0 to v0.2.0 the parameters changed." in said
    assert "production: v0.2.0 -> v0.1.0 (flights#production#3)." in said
    assert "v0.1.0 is reproduced" in said
