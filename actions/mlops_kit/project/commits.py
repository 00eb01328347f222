"""Commits that are made and pushed without a checkout, so that nobody's workspace or branch is touched."""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from mlops_kit.base import temporary
from mlops_kit.base.errors import KitError
from mlops_kit.base.processes import ProcessError
from mlops_kit.project.repository import Repository

TRIES = 6
HISTORY_SECONDS = 600.0  # for a whole history; Git gives a silent server up earlier
FETCH = ("fetch", "--quiet", "--no-tags", "--force", "origin")
ROBOT = ("mlops-kit", "mlops-kit@users.noreply.github.com")


class RefMoved(KitError):
    """The ref changed at the remote since it was read, or is there already: read again, try again."""


class PushRefused(KitError):
    """A rule of the remote forbids the push; trying again does not help."""


def commit(
    repository: Repository, parent: str | None, files: Mapping[str, bytes | None], message: str
) -> str:
    """The hash of a commit on `parent` with these files written (None: removed), and nothing else changed."""
    with temporary.folder() as folder:
        index = {"GIT_INDEX_FILE": str(folder / "index")}
        if parent:
            repository.git("read-tree", parent, **index)
        blobs = _write_blobs(
            repository, [content for content in files.values() if content is not None], folder
        )
        lines = [
            f"0 {'0' * 40}\t{path}\n" if content is None else f"100644 {next(blobs)}\t{path}\n"
            for path, content in files.items()
        ]
        repository.git("update-index", "--index-info", stdin="".join(lines), **index)
        tree = repository.git("write-tree", **index).strip()
    parent_options = ["-p", parent] if parent else []
    return repository.git(
        "commit-tree", tree, *parent_options, "-F", "-", stdin=message, **identity(repository)
    ).strip()


def _write_blobs(repository: Repository, contents: Sequence[bytes], folder: Path) -> Iterator[str]:
    """Write the contents to Git by one process, and yield the blobs' names in the same order."""
    for place, content in enumerate(contents):
        (folder / f"blob-{place}").write_bytes(content)
    paths = "".join(f"{folder / f'blob-{place}'}\n" for place in range(len(contents)))
    yield from repository.git("hash-object", "-w", "--no-filters", "--stdin-paths", stdin=paths).split()


def person(repository: Repository) -> str:
    """The committer's name in Git's configuration; empty if it has none."""
    try:
        committer = repository.git("-c", "user.useConfigOnly=true", "var", "GIT_COMMITTER_IDENT")
    except ProcessError:
        return ""
    return committer.partition(" <")[0]


def identity(repository: Repository) -> dict[str, str]:
    """Whoever Git knows here; a robot where it knows nobody, as on a runner."""
    if person(repository):
        return {}
    name, email = ROBOT
    return {
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": email,
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": email,
    }


def push(repository: Repository, *refspecs: str) -> None:
    """All refs or none. Raises RefMoved, PushRefused, or KitError when the remote cannot be reached."""
    try:
        repository.git_online("push", "--quiet", "--atomic", "--porcelain", "origin", *refspecs)
    except ProcessError as error:
        output = f"{error.stdout}\n{error.stderr}"
        if re.search(r"GH013|GH006|protected branch|rule violations|hook declined", output):
            raise PushRefused(f"origin refuses {' '.join(refspecs)}:\n{error.last_words()}") from error
        moved = r"fetch first|non-fast-forward|already exists|cannot lock ref|stale info|failed to update ref"
        if re.search(moved, output):
            raise RefMoved(f"{' '.join(refspecs)} changed at origin meanwhile.", "Try again.") from error
        raise KitError(
            f"origin could not be pushed to ({' '.join(refspecs)}):\n{error.last_words()}",
            "Is it reachable (`git ls-remote origin`), and may you push?",
        ) from error


def retry(act: Callable[[], None], tries: int = TRIES, wait: float = 0.2) -> None:
    """Run `act` again, with growing pauses, while the ref moves in between. Raises the last RefMoved."""
    for left in reversed(range(tries)):
        try:
            return act()
        except RefMoved:
            if not left:
                raise
            time.sleep(wait)
            wait *= 2


def append(
    repository: Repository, branch: str, files: Mapping[str, bytes], message: str, on: str | None = None
) -> str:
    """Adds files to a branch of origin, made where it is not there; of this clone where there is no origin.

    `on` is where the branch stood a moment ago; where it moved, and without it, origin is asked. The new tip.
    """
    tips = [on] if on else []
    new_tip = ""

    def once() -> None:
        nonlocal new_tip
        tip = tips.pop() if tips else remote_tip(repository, branch)
        new_tip = commit(repository, tip, files, message)
        if repository.has_origin:
            push(repository, f"{new_tip}:refs/heads/{branch}")
            repository.git("update-ref", f"refs/remotes/origin/{branch}", new_tip)
        else:
            repository.git("update-ref", f"refs/heads/{branch}", new_tip, tip or "")

    retry(once)
    return new_tip


def default_branch(repository: Repository) -> str:
    """The default branch of origin; without an origin the branch that is checked out."""
    if not repository.has_origin:
        return repository.git("symbolic-ref", "--short", "HEAD").strip()
    listing = repository.git_online("ls-remote", "--symref", "origin", "HEAD")
    first = listing.partition("\n")[0].split()
    return first[1].removeprefix("refs/heads/") if first[:1] == ["ref:"] else "main"


def remote_tip(repository: Repository, branch: str) -> str | None:
    """The branch's newest commit, fetched from origin where there is one."""
    if not repository.has_origin:
        return tip(repository, f"refs/heads/{branch}")
    try:
        repository.git_online(*FETCH, f"refs/heads/{branch}:refs/remotes/origin/{branch}")
    except ProcessError as error:
        if "couldn't find remote ref" in error.stderr:
            return None
        raise
    return tip(repository, f"refs/remotes/origin/{branch}")


def tip(repository: Repository, ref: str) -> str | None:
    """None for what is not there."""
    try:
        return repository.commit(ref)
    except ProcessError:
        return None


def fetch(repository: Repository, *refspecs: str, seconds: float | None = None) -> None:
    """Brings these refs of origin and no other. Does nothing where there is no origin."""
    if repository.has_origin:
        repository.git_online(*FETCH, *refspecs, seconds=seconds)


def deepen(repository: Repository) -> None:
    """Makes a shallow clone's history whole."""
    if repository.git("rev-parse", "--is-shallow-repository").strip() == "true" and repository.has_origin:
        unshallow = ("fetch", "--quiet", "--no-tags", "--unshallow", "origin")
        repository.git_online(*unshallow, seconds=HISTORY_SECONDS)


def deepen_to(repository: Repository, revision: str | None) -> None:
    """Fetch the whole history if this clone's does not reach an earlier commit.

    If origin does not answer, the history stays as it is; callers report that it is incomplete.
    """
    if revision and not repository.asks("merge-base", "HEAD", revision):
        with suppress(KitError):
            deepen(repository)
