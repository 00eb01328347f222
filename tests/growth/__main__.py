"""Prints the table of owners' edits and tiers: python -m tests.growth [EDIT]...

Each cell is a project with that edit to which the tier was added: a dot where its files came and nothing else
changed, else what was lost or conflicts. Half a second a cell.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

from mlops_new.create import create
from mlops_new.create.request import CreateRequest
from mlops_new.template import releases

from tests.growth import stand_ins
from tests.growth.owners import EDITS, six_at_once
from tests.growth.projects import commit, files_of, loss, say, update
from tests.growth.stand_ins import CHOICES


def main(chosen: list[str]) -> int:
    edits = {name: edit for name, edit in EDITS.items() if not chosen or name in chosen}
    if not chosen:
        edits["six at once"] = six_at_once
    losses: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        seed = prepared(Path(folder))
        print(" " * 36 + " ".join(f"{tool[:9]:9}" for _, tool in CHOICES))
        for name, edit in edits.items():
            cells = []
            for layer, tool in CHOICES:
                at = Path(folder) / "at" / "flights"
                shutil.copytree(seed, at, symlinks=True)
                edit(at)
                commit(at, name)
                lost = loss(update(at, {layer: tool}), files_of(at, {layer: tool}))
                losses += [f"{name}, {layer}={tool}: {lost}"] if lost else []
                cells.append("lost" if lost else ".")
                shutil.rmtree(at.parent)
            print(f"{name:36}" + " ".join(f"{cell:9}" for cell in cells), flush=True)
    print(*losses, f"{len(losses)} of {len(edits) * len(CHOICES)} lost something.", sep="\n")
    return 1 if losses else 0


def prepared(folder: Path) -> Path:
    """A project made from a template with all tiers; this process carries that template from now on."""
    tag = releases.current()
    (folder / ".gitconfig").write_text("[user]\n\tname = Test\n\temail = test@example.com\n")
    os.environ["GIT_CONFIG_GLOBAL"] = str(folder / ".gitconfig")
    source = stand_ins.source(folder / "source")
    releases.write_bundle(source, folder / "template.bundle", tag)
    vars(releases).update(SOURCE=source, PACKAGED=folder / "template.bundle", current=lambda: tag)
    return create.create(CreateRequest(folder / "flights"), say).path


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
