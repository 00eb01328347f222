"""First words that are no command: which of them is the name of a repository to make?"""

import os
from pathlib import Path

import click

# Each is the function `command` in the module of its name. `mlops-new ./add` makes a repository called `add`.
COMMANDS = ("adopt", "tiers", "add", "remove", "switch", "diff", "update", "lock", "completion")
NEAR = 0.75  # similarity (difflib's ratio) from which on a word is taken for a mistyped command
OTHER_WORDS = {  # what people type for a command, or for an option
    "help": "--help",
    "version": "--version",
    "upgrade": "update",
    "list": "tiers",
    "enable": "add",
    "disable": "remove",
    "delete": "remove",
    "replace": "switch",
}
CREATE_WORDS = ("create", "init", "make", "new")
PROJECT_FILES = (".copier-answers.yml", "mlops.yaml")


def expect_no_command(word: str) -> None:
    """Raise click.UsageError if this word looks like a command, or if any word does because this is a project.

    A path (`./updat`, `models/updat`, `.`) is always the name of a repository.
    """
    if word.startswith("-") or word in (".", "..") or any(sep in word for sep in (os.sep, os.altsep) if sep):
        return
    if word in CREATE_WORDS:
        raise click.UsageError(
            f"No such command {word!r}. To make a repository: mlops-new NAME. "
            f"To make one that is called {word!r}: mlops-new ./{word}"
        )
    import difflib  # only a word that is no command waits for it

    near = difflib.get_close_matches(word.lower(), COMMANDS, n=1, cutoff=NEAR)
    meant = OTHER_WORDS.get(word.lower()) or (near[0] if near else "")
    project = _project(Path.cwd())
    if not meant and not project:
        return
    hint = f" Did you mean {meant!r}?" if meant else f" This folder is in the project {project}."
    raise click.UsageError(
        f"No such command {word!r}.{hint}\nTo make a repository that is called {word!r}: mlops-new ./{word}"
    )


def _project(folder: Path) -> Path | None:
    """The project that this folder is in; None if it is in none."""
    return next(
        (at for at in (folder, *folder.parents) if all((at / name).is_file() for name in PROJECT_FILES)), None
    )
