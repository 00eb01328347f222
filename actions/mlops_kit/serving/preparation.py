"""Everything that a version needs before it can be started: its folder, and the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlops_kit.base import processes
from mlops_kit.base.errors import KitError
from mlops_kit.base.progress import Say
from mlops_kit.project.contract import FILE, Contract
from mlops_kit.project.repository import Repository
from mlops_kit.project.sections import Serving
from mlops_kit.serving import deployment
from mlops_kit.serving.deployment import Deployment
from mlops_kit.serving.environment import environment
from mlops_kit.serving.version_folders import VersionFolders
from mlops_kit.versions.version import Version


@dataclass(frozen=True)
class Prepared:
    deployment: Deployment
    venv: Path

    def environment(self) -> Mapping[str, str]:
        """For replicas and proxy: the engine's programs first on the PATH."""
        around = processes.environment()
        path = os.pathsep.join((str(self.venv / "bin"), around.get("PATH", os.defpath)))
        return {**around, "PATH": path, "VIRTUAL_ENV": str(self.venv), "PYTHONUNBUFFERED": "1"}


class Preparation:
    def __init__(self, repository: Repository, contract: Contract, say: Say) -> None:
        self.repository, self.contract, self.say = repository, contract, say
        self.section = section(contract)
        self.folders = VersionFolders(repository)
        self._environments: dict[Path, int] = {}  # those in use, each with its lock

    def workspace(self) -> Prepared:
        return self._with_environment(deployment.of_workspace(self.repository, self.contract))

    def tree(self, tree: Repository) -> Prepared:
        """A version that somebody else checked out, with its artifacts."""
        return self._with_environment(deployment.of_workspace(tree, self.contract))

    def version(self, version: Version) -> Prepared:
        """Raises KitError if it cannot be checked out, pulled, or installed beside the engine."""
        return self._with_environment(deployment.of_version(self.folders, self.contract, version, self.say))

    def remove_others(self, *kept: Deployment) -> None:
        """Remove the folders and environments of other versions that no server uses any more. Warns if that fails."""
        try:
            for name in self.folders.keep_only(*(one.folder for one in kept)):
                self.say(f"removed the folder of {name}")
            for name in environment.remove_unused(self.repository.root):
                self.say(f"removed the environment {name}: unused for {environment.UNUSED_DAYS} days")
        except (KitError, OSError) as error:
            self.say(f"warning: folders of earlier versions stay: {error}")

    def _with_environment(self, one: Deployment) -> Prepared:
        root = self.repository.root
        wanted = environment.wanted(root / self.section.engine, one.folder, one.environment, one.python)
        venv = environment.make(root, wanted, one.folder, self.say)
        if venv not in self._environments:
            self._environments[venv] = environment.hold(venv)
        return Prepared(one, venv)


def section(contract: Contract) -> Serving:
    if contract.serving is None:
        raise KitError(
            f"{FILE} has no `serving`: nothing says how to answer requests.",
            "`mlops-new add serving=seldon` adds the tier that does.",
        )
    return contract.serving
