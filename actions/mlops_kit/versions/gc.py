"""Garbage collection that keeps what any version or branch needs.

`dvc gc --workspace --cloud` alone would delete the versions' models: no branch has their locks.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mlops_kit.base.errors import KitError
from mlops_kit.base.processes import run_within, words
from mlops_kit.project import commits
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.project.transfer import STALL
from mlops_kit.versions import stored_objects
from mlops_kit.versions import tags as version_tags
from mlops_kit.versions.stored_objects import Stored

HELD = version_tags.ref(
    "mlops-kit-gc/"
)  # tags for a moment: DVC looks at tags and at this clone's branches only


@dataclass(frozen=True)
class Collected:
    removed: bool
    said: str  # what would go, with sizes; or DVC's own words about what went
    tags: int
    branches: int

    @property
    def says(self) -> str:
        kept = f"Kept: the workspace, {self.tags} tags, {self.branches} branches of origin."
        return f"{self.said}\n{kept}" + ("" if self.removed else "\nNothing was deleted.")


def collect(
    repository: Repository,
    contract: Contract,
    *,
    cloud: bool,
    dry: bool,
    agree: Callable[[Collected], bool],
    unnamed: bool = False,
) -> Collected:
    """Deletes from the cache, and with `cloud` from the remote, what nothing refers to.

    Raises KitError when origin cannot be asked which versions there are, or when a remote or a shared cache holds
    objects that no commit of this repository ever named, unless `unnamed` says that they may go too.
    """
    release(repository)
    fetch(repository)
    with everything_held(repository) as branches:
        tagged = len(repository.git("for-each-ref", "--format=x", version_tags.REFS).split()) - branches
        places = [stored_objects.in_cache(repository)]
        places += [stored_objects.in_remote(repository, contract.commands.dvc)] if cloud else []
        if not unnamed:
            _expect_named(repository, places)
        goes = [place.without(stored_objects.needed(repository)) for place in places]
        would = Collected(False, "\n".join(place.text for place in goes), tagged, branches)
        if dry or not agree(would):
            return would
        return Collected(True, _gc(repository, contract, cloud), tagged, branches)


def _expect_named(repository: Repository, places: list[Stored]) -> None:
    """Raise KitError for objects of others, in a remote or in a cache outside of this clone."""
    shared = [place for place in places[1:] if place.objects]
    shared += places[:1] if stored_objects.is_shared(repository) else []
    if not shared:
        return
    commits.deepen(repository)
    named = stored_objects.ever_named(repository)
    for place in shared:
        if others := place.without(named).objects:
            raise KitError(
                f"{place.without(named).text}\nNo commit of this repository ever named these. Does another repository "
                "use the same place? Nothing was deleted.",
                "Give each repository a place of its own. If nobody else uses this one, "
                f"`mlops-kit gc --unnamed` deletes {'it' if len(others) == 1 else 'them'} too.",
            )


def fetch(repository: Repository) -> None:
    """All tags and all branches of origin, wherever they point."""
    try:
        commits.fetch(
            repository,
            f"+{version_tags.ref('*')}:{version_tags.ref('*')}",
            "+refs/heads/*:refs/remotes/origin/*",
            seconds=commits.HISTORY_SECONDS,
        )
    except KitError as error:
        raise KitError(
            f"origin cannot be asked which versions there are, so nothing is deleted: {error.what}",
            "Try again when `git ls-remote origin` answers.",
        ) from error


@contextmanager
def everything_held(repository: Repository) -> Iterator[int]:
    """Gives every branch of origin with DVC a tag for as long as the block runs; says how many."""
    listed = repository.git("for-each-ref", "--format=%(refname)", "refs/remotes/origin").split()
    heads = [ref for ref in listed if repository.asks("cat-file", "-e", f"{ref}:.dvc/config")]
    names = {f"{HELD}{ref.removeprefix('refs/remotes/origin/')}": ref for ref in heads}
    try:
        for name, ref in names.items():
            repository.git("update-ref", name, ref)
        yield len(names)
    finally:
        release(repository)


def release(repository: Repository) -> None:
    """Delete the tags that hold branches, also those of a killed process."""
    for name in repository.git("for-each-ref", "--format=%(refname)", HELD).split():
        repository.git("update-ref", "-d", name)


def _gc(repository: Repository, contract: Contract, cloud: bool, *more: str) -> str:
    wide = ["--workspace", "--all-branches", "--all-tags", *(["--cloud"] if cloud else [])]
    output = run_within(
        [*words(contract.commands.dvc), "gc", *wide, "--force", *more], repository.root, stall=STALL
    )
    return output.strip() or "Nothing that could go."
