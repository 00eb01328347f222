"""A version's data and model, here or in a folder of their own."""

from dataclasses import dataclass
from pathlib import Path

from mlops_kit.base.errors import KitError
from mlops_kit.base.processes import run, words
from mlops_kit.base.progress import Say
from mlops_kit.project import pipeline
from mlops_kit.project.contract import Contract
from mlops_kit.project.lock import LOCK
from mlops_kit.project.repository import Repository
from mlops_kit.project.transfer import transfer
from mlops_kit.versions import tags
from mlops_kit.versions import version as versions
from mlops_kit.versions.version import Version

PULLED = Path(".mlops/pulled")  # the version whose lock stands in the workspace


@dataclass(frozen=True)
class Pulled:
    version: str  # empty before the first
    where: str
    back: str  # how to undo it

    @property
    def says(self) -> str:
        what = f"Data and model of {self.version}" if self.version else "The data of this commit"
        return f"{what}: in {self.where}." + (f"\nBack: {self.back}" if self.back else "")


def pull(repository: Repository, contract: Contract, name: str, into: Path | None, say: Say) -> Pulled:
    """Of the newest version when none is named; before the first, what the tree itself names.

    Raises KitError when something here would be lost, or cannot be had, with the workspace as before.
    """
    say("fetch the versions")
    versions.fetch(repository, contract.model)
    version = versions.find(repository, contract.model, name) if name else None
    version = version or versions.newest(repository, contract.model)
    if into and version is None:
        raise KitError(f"{contract.model} has no version yet.", "`git worktree add` gives a commit a folder.")
    if into and version:
        return _pull_into(repository, contract, version, into, say)
    if version is None:
        say("pull the data")
        transfer(repository, contract.commands.dvc, "pull", *_targets(repository))
        return Pulled("", str(repository.root), "")
    return _pull_here(repository, contract, version, say)


def _pull_here(repository: Repository, contract: Contract, version: Version, say: Say) -> Pulled:
    before = repository.text(LOCK)
    lock = _lock(repository, version)
    _check_nothing_lost(repository, contract, before, lock)
    path = repository.root / LOCK
    say(f"pull {version.name}")
    (repository.root / PULLED).parent.mkdir(exist_ok=True)
    (repository.root / PULLED).write_text(version.name, encoding="utf-8")  # first: this pull may be killed
    path.write_text(lock, encoding="utf-8", newline="\n")
    try:
        transfer(repository, contract.commands.dvc, "pull", *_targets(repository))
    except BaseException:
        path.unlink() if before is None else path.write_text(before, encoding="utf-8", newline="\n")
        raise
    tracked = repository.asks("cat-file", "-e", f"HEAD:{LOCK}")
    undo = f"git restore {LOCK}" if tracked else f"rm {LOCK}"
    return Pulled(version.name, str(repository.root), f"{undo} && {contract.commands.dvc} checkout")


def _lock(repository: Repository, version: Version) -> str:
    text = repository.show(version.commit, LOCK)
    if text is None:
        raise KitError(f"{version.tag} holds no {LOCK}.", "Was the tag made by `mlops-kit register`?")
    return text


def _check_nothing_lost(repository: Repository, contract: Contract, before: str | None, lock: str) -> None:
    """Raise KitError if a pull would overwrite a lock that is not committed, unless an earlier pull wrote it."""
    if before in (None, lock) or LOCK not in repository.dirty():
        return
    written = repository.text(PULLED.as_posix())
    if written and before == repository.show(tags.ref(tags.version_tag(contract.model, written)), LOCK):
        return
    raise KitError(
        f"{LOCK} has changes that are not committed, and pulling would overwrite them.",
        f"Commit them, or `git restore {LOCK}`; or pull into another folder: --into DIR.",
    )


def _targets(repository: Repository) -> list[str]:
    """Stages that this tree and the lock both have, and the data; DVC stops at a stage without a lock."""
    lock = repository.lock()
    defined = pipeline.DefinitionChanges(repository, None)
    stages = [name for name in lock.stages if not defined.gone(name)] if lock else []
    pointers = [path for path in sorted(repository.tracked()) if path.endswith(".dvc")]
    return [*stages, *pointers]


def _pull_into(repository: Repository, contract: Contract, version: Version, into: Path, say: Say) -> Pulled:
    folder = into.resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise KitError(f"{into} is not empty.", "Name a folder that is not there yet.")
    say(f"check {version.tag} out into {into}")
    repository.git("worktree", "add", "--quiet", "--detach", str(folder), version.tag)
    try:
        _share_cache(repository, contract, folder)
        say("pull its data and model")
        transfer(repository, contract.commands.dvc, "pull", at=folder)
    except BaseException:
        repository.git("worktree", "remove", "--force", str(folder))
        raise
    return Pulled(version.name, str(folder), f"git worktree remove --force {folder}")


def _share_cache(repository: Repository, contract: Contract, folder: Path) -> None:
    """The same cache, credentials and remote as here; none of it is committed."""
    cache = _dvc(repository, contract, "cache", "dir").strip().splitlines()[-1]
    local = repository.text(".dvc/config.local") or ""
    (folder / ".dvc/config.local").write_text(local, encoding="utf-8")
    _dvc(repository, contract, "--cd", str(folder), "cache", "dir", "--local", cache)
    remote = repository.remote
    if remote and "://" not in remote.url and not Path(remote.url).is_absolute():
        at = str((repository.root / ".dvc" / remote.url).resolve())  # a path from the configuration's folder
        _dvc(repository, contract, "--cd", str(folder), "remote", "modify", "--local", remote.name, "url", at)


def _dvc(repository: Repository, contract: Contract, *arguments: str) -> str:
    return run([*words(contract.commands.dvc), *arguments], repository.root)
