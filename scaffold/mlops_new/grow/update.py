"""Change the tiers of a project, the version of its template, or both: one update, merged by Git.

The template is rendered twice: at the project's version with its answers, and at the new version with the new answers.
Git merges the difference between the two into a clone of the project, as it would merge a branch. The result is that
of `copier update` (a test compares both), which renders three times and asks Git about every file that it writes.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from mlops_new.base.errors import MlopsNewError
from mlops_new.base.processes import ProcessError, run
from mlops_new.grow import pins
from mlops_new.grow.changes import THEIRS, YOURS, UnmergedFiles
from mlops_new.grow.project import Project
from mlops_new.template import render, tiers
from mlops_new.template.answers import ANSWERS, record_origin
from mlops_new.template.releases import Releases

OURS, NEW = "2", "3"  # Git's numbers for the sides of an unmerged file; 1 is their common ancestor


def update(
    clone: Path, project: Project, releases: Releases, tools: Mapping[str, str], version: str
) -> tuple[str, ...]:
    """Merge the update into the clone and its index, and return the files that it deletes although they were edited.

    `tools` are answers to change, by layer. Conflicts stay in the index. Raises MlopsNewError if Copier cannot render,
    or if a file and a folder would have the same name.
    """
    before, after = clone.parent / "before", clone.parent / "after"
    _render(project, releases, tools, version, before, after)
    _leave_owned_files(clone, releases.skipped(version), before, after, project.inside)
    _expect_free_names(clone, before, after)
    trees = _tree(clone, before), "HEAD", _tree(clone, after)
    run(["git", "read-tree", "-m", "-u", "--aggressive", *trees], clone)
    answers = project.inside / ANSWERS  # nobody edits it, so there is nothing to merge
    (clone / answers).write_bytes((after / answers).read_bytes())
    run(["git", "add", "--force", "--", answers], clone)
    return _settle_unmerged(clone, before, after)


def _render(
    project: Project, releases: Releases, tools: Mapping[str, str], version: str, before: Path, after: Path
) -> None:
    """Render the template as it is and as it will be, each into a folder as large as the Git repository."""
    answers = {**project.answers, **tools}
    versions = {
        tag: tiers.unused_folders(releases, tag, project.answers, answers)
        for tag in (project.template, version)
    }
    trees = {tag: before.parent / f"template-{tag}" for tag in versions}

    def unpack() -> None:
        for tag, unused in versions.items():
            releases.unpack(tag, trees[tag], without=unused)

    render.import_copier(meanwhile=unpack)
    its_facts, new_facts = render.facts(project.template), render.facts(version)
    render.render_tree(trees[project.template], before / project.inside, {**project.own_answers, **its_facts})
    into = after / project.inside
    into.mkdir(parents=True)
    (into / ANSWERS).write_bytes(
        (project.root / ANSWERS).read_bytes()
    )  # Copier takes the other answers from it
    if version != project.template:  # the files get another pin anyway
        new_facts["pin"] = "commit" if new_facts["release_commit"] else "tag"
    render.render_tree(trees[version], into, {**tools, **new_facts})
    record_origin(into, version, project.origin)


def _leave_owned_files(
    clone: Path, patterns: tuple[str, ...], before: Path, after: Path, inside: Path
) -> None:
    """Take out of the update what is the owner's once it was rendered (`_skip_if_exists` in copier.yml).

    A file that the owner deleted stays deleted, which Copier itself would bring back.
    """
    for name in _names(after / inside):
        if any(fnmatchcase(f"/{name.as_posix()}", pattern) for pattern in patterns):
            if (before / inside / name).is_file():
                (after / inside / name).write_bytes((before / inside / name).read_bytes())
            elif (clone / inside / name).exists():
                (after / inside / name).unlink()


def _expect_free_names(clone: Path, before: Path, after: Path) -> None:
    """Raise MlopsNewError if the owner has a folder in the place of a new file, or a file in that of its folder."""
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
    """Write the folder as a tree among the clone's objects, and return its hash."""
    where = {
        "GIT_DIR": str(clone / ".git"),
        "GIT_WORK_TREE": str(folder),
        "GIT_INDEX_FILE": f"{folder}.index",
    }
    run(["git", "-c", "core.autocrlf=false", "add", "--all", "--force", "."], folder, **where)
    return run(["git", "write-tree"], folder, **where).strip()


def _settle_unmerged(clone: Path, before: Path, after: Path) -> tuple[str, ...]:
    """Merge the files that both sides changed, and return those that are deleted although they were edited."""
    edited = []
    for name, entries in UnmergedFiles.read(clone).entries.items():
        stages = {entry.split()[2] for entry in entries}
        if {OURS, NEW} <= stages:
            if _merge_file(clone, name, before / name, after / name):
                run(["git", "add", "--force", "--", name], clone)
            continue
        if OURS in stages:
            edited.append(name)
        run(["git", "rm", "--quiet", "--force", "--", name], clone)  # whichever side deleted it
    return tuple(edited)


def _merge_file(clone: Path, name: str, before: Path, after: Path) -> bool:
    """Return True if Git could decide every line; else the file has both sides, between Git's marks."""
    if (clone / name).is_symlink():
        return False
    labels = [YOURS.partition(" ")[2], "last update", THEIRS.partition(" ")[2]]
    if not before.is_file():
        before = clone.parent / "empty"
        before.touch()
    elif f"{pins.WORKFLOWS}/" in name:
        pins.settle(clone / name, before, after)
    words = [word for label in labels for word in ("-L", label)]
    try:
        run(["git", "-c", "merge.conflictStyle=merge", "merge-file", *words, name, before, after], clone)
    except ProcessError:  # its code is the number of conflicts, or says that the file is not text
        return False
    return True
