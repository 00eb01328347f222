"""The result of `mlops-new adopt`, as text and for JSON."""

import shlex
from dataclasses import asdict
from typing import Any

from mlops_new.adopt.read.entry_point import EntryPoint
from mlops_new.adopt.result import Adoption, short_path

OTHERS = 5


def summary(adoption: Adoption, *, dry_run: bool) -> str:
    stage = adoption.stage
    assert stage
    parts = [
        [
            f"{adoption.name}: {adoption.entry.path} trains ({', '.join(adoption.entry.why)}).",
            *_others(adoption.others),
        ],
        [
            "It reads and makes:" if adoption.ran else "It reads and makes, by what the code says:",
            f"  command   {stage.command}",
            f"  reads     {_listed(stage.deps)}",
            f"  makes     {_listed(stage.outs)}",
            f"  metrics   {stage.metrics or 'none'}{_metrics(adoption.metrics)}",
            f"  packages  {adoption.packages}",
            *([f"  under DVC {_listed(adoption.data)}"] if adoption.data else []),
            *([] if adoption.same is None else [_twice(adoption.same)]),
        ],
        [
            _added(adoption, dry_run),
            *_columns(adoption.adds),
        ],
        *_patches(adoption),
        ["In the way of making the same model again:", *_obstacles(adoption)] if adoption.obstacles else [],
        [f"- {note}" for note in adoption.notes],
        [] if dry_run else _next(adoption),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _added(adoption: Adoption, dry_run: bool) -> str:
    if dry_run:
        return f"Would add {len(adoption.adds)} files, more where a run shows more data, and change none of yours:"
    yours = "" if adoption.applied and adoption.patches else ", and changed none of yours"
    return f"Added {len(adoption.adds)} files{yours}:"


def _others(others: list[EntryPoint]) -> list[str]:
    if not others:
        return []
    lines = [f"  {one.path} ({', '.join(one.why)})" for one in others[:OTHERS]]
    more = f"  ... and {len(others) - OTHERS} more" if len(others) > OTHERS else ""
    return ["Not chosen, --entry FILE takes another:", *lines, *([more] if more else [])]


def _listed(paths: list[str]) -> str:
    return (
        ", ".join(paths[:8]) + (f", ... ({len(paths)})" if len(paths) > 8 else "")
        if paths
        else "nothing that was seen"
    )


def _metrics(metrics: dict[str, float]) -> str:
    first = ", ".join(f"{name} {value:.4g}" for name, value in list(metrics.items())[:4])
    return f" ({first})" if first else ""


def _twice(same: bool) -> str:
    return f"  run twice {'the same bytes both times' if same else 'not the same; see below'}"


def _columns(paths: list[str]) -> list[str]:
    return [f"  {path}" for path in paths]


def _patches(adoption: Adoption) -> list[list[str]]:
    blocks = []
    for patch in adoption.patches:
        head = f"Changed {patch.path}" if adoption.applied else f"Not changed, and should be: {patch.path}"
        diff = patch.diff.encode("utf-8", "replace").decode()
        blocks.append([f"{head}; {patch.because}.", *diff.rstrip("\n").splitlines()])
    if blocks and adoption.patch_file:
        tail = (
            f"To change {'it' if len(blocks) == 1 else 'them'}: git apply {shlex.quote(adoption.patch_file)}"
        )
        if any(patch.path == ".gitignore" for patch in adoption.patches):
            tail += "  (until then .git/info/exclude has the lines of .gitignore, in this clone only)"
        blocks.append([tail])
    return blocks


def _obstacles(adoption: Adoption) -> list[str]:
    """The obstacles, each once with all its places."""
    where: dict[tuple[str, str], list[str]] = {}
    for obstacle in adoption.obstacles:
        where.setdefault((obstacle.what, obstacle.do), []).append(obstacle.where)
    return [f"- {', '.join(dict.fromkeys(places))}: {what}. {do}" for (what, do), places in where.items()]


def _next(adoption: Adoption) -> list[str]:
    lines = [
        "Next:" if short_path(adoption.root) == "." else f"Next: cd {shlex.quote(short_path(adoption.root))}",
        "  git diff --cached            # all that was added; git reset, and it is not",
        "  git commit -m 'Train by DVC'",
        "  uv tool install 'mlops-new[kit]'; mlops-kit train && mlops-kit gate && mlops-kit register",
    ]
    return lines if adoption.ran else [*lines, f"It was not run: {adoption.dvc} repro"]


def as_json(adoption: Adoption) -> dict[str, Any]:
    """`figures` are the metrics."""
    content = {{"metrics": "figures"}.get(key, key): value for key, value in vars(adoption).items()}
    return {
        **content,
        "root": str(adoption.root),
        "entry": asdict(adoption.entry),
        "others": [entry.path for entry in adoption.others],
        "stage": {**asdict(adoption.stage), "in_git": sorted(adoption.stage.in_git)}
        if adoption.stage
        else None,
        "patches": [
            {"path": patch.path, "diff": patch.diff, "because": patch.because} for patch in adoption.patches
        ],
        "obstacles": [asdict(obstacle) for obstacle in adoption.obstacles],
    }
