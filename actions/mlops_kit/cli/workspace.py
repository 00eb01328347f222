"""Prepare the workspace for a command that writes into it."""

import click

from mlops_kit.base import temporary
from mlops_kit.base.progress import Say
from mlops_kit.cli.output import tell
from mlops_kit.project import workspace_lock
from mlops_kit.project.repository import Repository
from mlops_kit.project.undo import KEPT, remove


def writes(repository: Repository) -> None:
    """Hold the workspace's lock until the command ends, and put back what a killed command left.

    Raises KitError if another command is at work there.
    """
    context = click.get_current_context()
    killed = context.with_resource(workspace_lock.hold(repository.root, str(context.info_name), tell))
    if killed or (repository.root / KEPT).is_dir():
        _put_back(repository, tell)


def monitors(repository: Repository) -> None:
    """Hold the lock of .mlops/monitoring until the command ends. Raises KitError if another command holds it."""
    context = click.get_current_context()
    context.with_resource(
        workspace_lock.hold(repository.root, str(context.info_name), tell, workspace_lock.MONITORING)
    )


def tidy(repository: Repository) -> None:
    """Remove the worktrees and temporary folders of killed commands."""
    repository.remove_abandoned_worktrees()
    temporary.sweep()


def _put_back(repository: Repository, say: Say) -> None:
    from mlops_kit.new_data import landing, undo
    from mlops_kit.training import sample
    from mlops_kit.versions import gc

    if paths := undo.recover(repository):
        say(f"Put back as before the command that was killed: {', '.join(paths[:5])}{_more(len(paths) - 5)}.")
    for folder in (landing.INCOMING, sample.COPY.parent):
        remove(repository.root / folder)
    tidy(repository)
    gc.release(repository)


def _more(count: int) -> str:
    return f" and {count} more" if count > 0 else ""
