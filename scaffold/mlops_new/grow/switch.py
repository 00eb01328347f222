"""Switches tiers on and off, at the version of the template that a project has.

The template is rendered with the answers as they are and as they shall be. What lies between the two, the files of
tiers, Git merges into a clone of the project as it would merge a branch. Copier's update comes to the same (a test
compares), but is made for two versions: it renders three times, and asks Git about every file that it writes.
"""

from collections.abc import Mapping
from pathlib import Path

from mlops_new.base.errors import MlopsNewError
from mlops_new.base.processes import ProcessError, run
from mlops_new.grow.changes import THEIRS, YOURS, Unmerged
from mlops_new.grow.project import Project
from mlops_new.template import render, tiers
from mlops_new.template.answers import ANSWERS, record_origin
from mlops_new.template.releases import Releases

OURS, NEW = "2", "3"  # what Git calls the sides of a file that is not merged; 1 is what both come from


def switch(clone: Path, project: Project, known: Releases, answers: Mapping[str, str]) -> tuple[str, ...]:
    """Changes the clone and its index, where conflicts stay; names what goes although it was edited.

    Raises MlopsNewError where Copier cannot render, and where a file and a folder have the same name.
    """
    before, after = clone.parent / "before", clone.parent / "after"
    _render(project, known, answers, before, after)
    _check_names(clone, before, after)
    trees = _tree(clone, before), "HEAD", _tree(clone, after)
    run(["git", "read-tree", "-m", "-u", "--aggressive", *trees], clone)
    recorded = project.inside / ANSWERS  # nobody edits it, so there is nothing to merge
    (clone / recorded).write_bytes((after / recorded).read_bytes())
    run(["git", "add", "--force", "--", recorded], clone)
    return _settle(clone, before, after)


def _render(project: Project, known: Releases, answers: Mapping[str, str], before: Path, after: Path) -> None:
    tree = before.parent / "template"
    unused = tiers.unused(known, project.template, project.answers, {**project.answers, **answers})
    render.import_copier(meanwhile=lambda: known.unpack(project.template, tree, without=unused))
    render.render_tree(tree, before / project.inside, project.own_answers)
    into = after / project.inside
    into.mkdir(parents=True)
    (into / ANSWERS).write_bytes((project.root / ANSWERS).read_bytes())  # the other answers, for Copier
    render.render_tree(tree, into, answers)
    record_origin(into, project.template, project.origin)


def _check_names(clone: Path, before: Path, after: Path) -> None:
    """Raises MlopsNewError where the owner has a folder for a new file, or a file for its folder."""
    for name in sorted(_names(after) - _names(before)):
        folders = [parent for parent in name.parents if (clone / parent).is_symlink()]
        folders += [parent for parent in name.parents if (clone / parent).is_file()]
        in_the_way = [*folders, *([name] if (clone / name).is_dir() else [])]
        if in_the_way:
            yours = in_the_way[0].as_posix()
            raise MlopsNewError(
                f"{name.as_posix()} cannot be written: {yours}, which is yours, is in the way.",
                f"Nothing was changed. Give yours another name: git mv {yours} NAME",
            )


def _names(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


def _tree(clone: Path, folder: Path) -> str:
    """The folder as a tree among the clone's objects."""
    where = {
        "GIT_DIR": str(clone / ".git"),
        "GIT_WORK_TREE": str(folder),
        "GIT_INDEX_FILE": f"{folder}.index",
    }
    run(["git", "-c", "core.autocrlf=false", "add", "--all", "--force", "."], folder, **where)
    return run(["git", "write-tree"], folder, **where).strip()


def _settle(clone: Path, before: Path, after: Path) -> tuple[str, ...]:
    """Decides where both sides changed a file. Names what is deleted although it was edited."""
    lost = []
    for name, entries in Unmerged.read(clone).entries.items():
        stages = {entry.split()[2] for entry in entries}
        if {OURS, NEW} <= stages:
            if _merged(clone, name, before / name, after / name):
                run(["git", "add", "--force", "--", name], clone)
            continue
        if OURS in stages:
            lost.append(name)
        run(["git", "rm", "--quiet", "--force", "--", name], clone)  # whichever side deleted it
    return tuple(lost)


def _merged(clone: Path, name: str, before: Path, after: Path) -> bool:
    """Whether every line could be decided; else the file has both, between Git's marks."""
    if (clone / name).is_symlink():
        return False
    labels = [YOURS.partition(" ")[2], "last update", THEIRS.partition(" ")[2]]
    if not before.is_file():
        before = clone.parent / "nothing"
        before.touch()
    words = [word for label in labels for word in ("-L", label)]
    try:
        run(["git", "-c", "merge.conflictStyle=merge", "merge-file", *words, name, before, after], clone)
    except ProcessError:  # its code is the number of conflicts, or says that this is no text
        return False
    return True
