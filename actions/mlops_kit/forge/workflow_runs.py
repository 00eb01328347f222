"""Runs of workflows on GitHub: start one, and look one up."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from github import Github


@dataclass(frozen=True)
class WorkflowRun:
    file: str  # of the workflow, for instance promote.yml
    title: str
    on_default_branch: bool
    started: datetime
    updated: datetime
    moved: bool  # its job that writes the tag began, which it does only after the approval


MOVE = "move"  # that job's name


class WorkflowRuns:
    """A part of `GitHub`."""

    slug: str
    _client: "Github"

    if TYPE_CHECKING:

        def _asking(self, kind: str, what: str) -> AbstractContextManager[None]: ...
        def _get(self, path: str) -> Any: ...
        def default_branch(self) -> str: ...

    def start_workflow(self, file: str, inputs: dict[str, str]) -> None:
        """Start a workflow that has `workflow_dispatch`, on the default branch."""
        content = {"ref": self.default_branch(), "inputs": inputs}
        with self._asking("workflow start", f"workflow {file}"):
            path = f"/repos/{self.slug}/actions/workflows/{file}/dispatches"
            self._client.requester.requestJsonAndCheck("POST", path, input=content)

    def run(self, number: str) -> WorkflowRun | None:
        """A run that a person started; None if there is none with this number."""
        from mlops_kit.forge.github_errors import GitHubError

        if not number.isdigit():
            return None
        main = self.default_branch()
        try:
            with self._asking("workflow", f"run {number}"):
                run = self._get(f"/actions/runs/{number}")
                jobs = self._get(f"/actions/runs/{number}/jobs?filter=all&per_page=100")["jobs"]
                return WorkflowRun(
                    PurePosixPath(str(run["path"]).partition("@")[0]).name,
                    str(run["display_title"]),
                    run["head_branch"] == main and run["event"] == "workflow_dispatch",
                    datetime.fromisoformat(run["created_at"]),
                    datetime.fromisoformat(run["updated_at"]),
                    any(one["name"] == MOVE and _ran(one) for one in jobs),
                )
        except GitHubError as error:
            if error.status == 404:
                return None
            raise


def _ran(job: dict[str, Any]) -> bool:
    """False for a job that waits for an approval, or was refused one."""
    return job["status"] == "in_progress" or job.get("conclusion") == "success"
