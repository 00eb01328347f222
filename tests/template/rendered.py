"""The packaged template, rendered by Copier itself."""

import os
from pathlib import Path

from mlops_new.releases import SOURCE, publisher

from tests.conftest import must


def copier_copy(mlops_new: Path, into: Path, **answers: str) -> None:
    """`copier copy` by the Copier beside the installed command, from the bundle in the wheel."""
    python = mlops_new.with_name("python.exe" if os.name == "nt" else "python")
    where = "import mlops_new.releases as r; print(r.PACKAGED.as_posix(), r.current())"
    bundle, tag = must([python, "-c", where], into.parent).split()
    address = publisher((SOURCE / "copier.yml").read_text())
    must(
        [mlops_new.with_name("copier"), "copy", "--defaults", "--quiet", "--vcs-ref", tag]
        + [f"--data={name}={value}" for name, value in answers.items()]
        + [f"gh:{address}", into],
        into.parent,
        COPIER_CACHE_DIR=str(into.parent / "copier"),
        GIT_CONFIG_COUNT="1",
        GIT_CONFIG_KEY_0=f"url.{bundle}.insteadOf",
        GIT_CONFIG_VALUE_0=f"https://github.com/{address}.git",
    )
