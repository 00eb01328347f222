"""What tests of `mlops-kit doctor` break, and ask."""

from mlops_kit.doctor import doctor
from mlops_kit.doctor.diagnosis import Diagnosis
from mlops_kit.project.repository import Repository

REMOTE = "[core]\n    remote = storage\n['remote \"storage\"']\n    url = {}\n"


def found(repository: Repository, name: str) -> Diagnosis:
    (one,) = [one for one in doctor.examine(repository) if one.name == name]
    return one


def settings(repository: Repository, **keys: str) -> None:
    path = repository.root / "mlops.yaml"
    path.write_text(path.read_text() + "".join(f"{key}: {value}\n" for key, value in keys.items()))


def connected(repository: Repository, url: object) -> None:
    """With a DVC remote."""
    (repository.root / ".dvc").mkdir(exist_ok=True)
    (repository.root / ".dvc/config").write_text(REMOTE.format(url))


def dvc_says(repository: Repository, program: str) -> None:
    script = repository.root / "my-dvc"
    script.write_text(f"#!/bin/sh\n{program}\n")
    script.chmod(0o755)
    path = repository.root / "mlops.yaml"
    path.write_text(path.read_text().replace("{dvc: git}", "{dvc: ./my-dvc}"))
