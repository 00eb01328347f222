"""Puts the template's Git bundle, and the commits of its releases, into the wheel (a hatchling build hook)."""

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class TemplateBundle(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":  # the source tree itself is at hand
            return
        root = Path(self.root)
        sys.path.insert(0, str(root / "scaffold"))
        from mlops_new.template import releases

        self.folder = tempfile.TemporaryDirectory(prefix="mlops-new-")
        bundle = Path(self.folder.name) / "template.bundle"
        commits = bundle.with_name(releases.COMMITS)
        releases.write_bundle(root, bundle, f"v{self.metadata.version}")
        releases.write_commits(root, commits, f"v{self.metadata.version}")
        build_data["force_include"][str(bundle)] = "mlops_new/template.bundle"
        build_data["force_include"][str(commits)] = f"mlops_new/{releases.COMMITS}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if version != "editable":
            self.folder.cleanup()
