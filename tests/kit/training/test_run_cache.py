"""What the bucket says a stage once made is believed only where a version of Git says the same."""

import shutil

from mlops_kit.project.lock import file_md5, object_path
from mlops_kit.project.repository import Repository

from tests.kit.tips import change, clone_of
from tests.kit.training.test_train import train

EVIL = "0.999\n"


def forge_what_train_made(repository: Repository, digits: int) -> None:
    """As somebody does who reaches the bucket: another model, and an entry of the run cache that names it rightly."""
    storage = repository.root.parent / "storage"
    (repository.root.parent / "evil").write_text(EVIL)
    evil = file_md5(repository.root.parent / "evil")
    object_path(storage, evil).parent.mkdir(exist_ok=True)
    shutil.move(repository.root.parent / "evil", object_path(storage, evil))
    lock = repository.lock(f"tips@v0.{4 - digits}.0")
    assert lock
    right = lock.outs["model.txt"].md5
    entries = [path for path in (storage / "runs").rglob("*") if path.is_file()]
    (entry,) = [one for one in entries if f"cmd: sh train.sh {digits}" in one.read_text()]
    assert right in entry.read_text()
    entry.chmod(0o644)
    entry.write_text(entry.read_text().replace(right, evil))


def test_a_forged_result_of_the_run_cache_is_not_taken(three: Repository) -> None:
    """Going back to three digits, which the run cache of the remote knows."""
    forge_what_train_made(three, 3)
    clone = clone_of(three, "clone")
    change(clone, "params.yaml", "digits: 1", "digits: 3")
    train(clone)
    assert (clone.root / "model.txt").read_text() != EVIL
