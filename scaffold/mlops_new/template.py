"""The template's released versions, as Copier wants them: a Git repository, at a tag, with no network.

A project records `gh:OWNER/REPO` and the tag, so that a colleague's plain `copier update` finds them on
GitHub. Here the same address is answered by a Git bundle: the one in the wheel, or one made on the spot
from the source tree, which needs neither a `.git` nor tags.
"""

import atexit
import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from mlops_new import REPOSITORY
from mlops_new.errors import MlopsNewError

PACKAGED = Path(__file__).parent / "template.bundle"
SOURCE = Path(__file__).parents[2]
PARTS = ("copier.yml", "template")
# Rendered once and never again (`_skip_if_exists` in copier.yml), with what they substitute.
OWNERS = ("README.md", "pyproject.toml", "params.yaml", "dvc.yaml")
STARTER_DATA = "data/flights.parquet"
LEFT_BY_TOOLS = ("__pycache__", ".*_cache", ".venv", ".hypothesis")

# Nothing of the maker's: the same tree gives the same commit everywhere.
ANONYMOUS = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_NAME": "mlops-new",
    "GIT_AUTHOR_EMAIL": "mlops-new@localhost",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_NAME": "mlops-new",
    "GIT_COMMITTER_EMAIL": "mlops-new@localhost",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
}


def tag() -> str:
    from importlib.metadata import version  # takes as long as everything else here

    return f"v{version('mlops-new')}"


def write_bundle(source: Path, bundle: Path, tag: str) -> None:
    """A Git bundle with the template of the tree at `source` as the one commit of `tag`."""
    with tempfile.TemporaryDirectory(prefix="mlops-new-") as folder:
        tree = Path(folder) / "tree"
        tree.mkdir()
        ignore = shutil.ignore_patterns(*LEFT_BY_TOOLS)
        for part in PARTS:
            if (source / part).is_dir():
                shutil.copytree(source / part, tree / part, ignore=ignore)
            else:
                shutil.copy(source / part, tree / part)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")} | ANONYMOUS
        for command in (
            ["init", "--quiet", "--initial-branch=main"],
            ["-c", "core.autocrlf=false", "add", "--force", "."],
            ["-c", "gc.auto=0", "commit", "--quiet", f"--message={tag}"],
            ["tag", tag],
            ["bundle", "create", "--quiet", str(bundle), "main", tag],
        ):
            subprocess.run(["git", *command], cwd=tree, env=environment, check=True)


@functools.cache
def _go_offline() -> None:
    """From now on Copier and Git in this process find the template's address in the bundle.

    Once for a process and before Copier is imported: the library it runs Git with (plumbum) copies the
    environment at import.
    """
    folder = Path(tempfile.mkdtemp(prefix="mlops-new-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    bundle = PACKAGED
    if not bundle.is_file():
        bundle = folder / "template.bundle"
        write_bundle(SOURCE, bundle, tag())
    settings = folder / "settings.yml"  # the person's own Copier settings must not answer for them
    settings.write_text("{}\n", encoding="utf-8")
    count = int(os.environ.get("GIT_CONFIG_COUNT", "0"))
    os.environ |= {
        "GIT_CONFIG_COUNT": str(count + 1),
        f"GIT_CONFIG_KEY_{count}": f"url.{bundle.as_posix()}.insteadOf",
        f"GIT_CONFIG_VALUE_{count}": f"https://github.com/{REPOSITORY}.git",
        "COPIER_CACHE_DIR": str(folder / "cache"),
        "COPIER_SETTINGS_PATH": str(settings),
    }


def render(into: Path, answers: Mapping[str, object]) -> None:
    """Writes the template with these answers, its other questions at their defaults, into a folder."""
    _go_offline()
    import copier  # half a second: only who renders pays it
    from copier.errors import CopierError

    try:
        copier.run_copy(
            f"gh:{REPOSITORY}",
            into,
            data=dict(answers),
            vcs_ref=tag(),
            defaults=True,
            overwrite=True,
            quiet=True,
        )
    except (CopierError, ValueError) as error:
        raise MlopsNewError(str(error)) from error


def render_again(into: Path, answers: Mapping[str, object]) -> None:
    """Like `render`, where nobody has edited what is there yet."""
    for name in OWNERS:
        (into / name).unlink()
    render(into, answers)
