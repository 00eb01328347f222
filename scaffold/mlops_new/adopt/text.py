"""What adopting did, for a person and for a program."""

import shlex
from dataclasses import asdict
from typing import Any

from mlops_new.adopt.read.entry_point import Entry
from mlops_new.adopt.result import Adopted, shown

OTHERS = 5


def in_words(done: Adopted, *, dry: bool) -> str:
    stage = done.stage
    assert stage
    parts = [
        [f"{done.name}: {done.entry.path} trains ({', '.join(done.entry.why)}).", *_others(done.others)],
        [
            "It reads and makes:" if done.ran else "It reads and makes, by what the code says:",
            f"  command   {stage.command}",
            f"  reads     {_listed(stage.deps)}",
            f"  makes     {_listed(stage.outs)}",
            f"  metrics   {stage.metrics or 'none'}{_figures(done.figures)}",
            f"  packages  {done.packages}",
            *([f"  under DVC {_listed(done.data)}"] if done.data else []),
            *([] if done.same is None else [_twice(done.same)]),
        ],
        [
            _added(done, dry),
            *_columns(done.adds),
        ],
        *_patches(done),
        ["In the way of making the same model again:", *_obstacles(done)] if done.obstacles else [],
        [f"- {note}" for note in done.notes],
        [] if dry else _next(done),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _added(done: Adopted, dry: bool) -> str:
    if dry:
        return (
            f"Would add {len(done.adds)} files, more where a run shows more data, and change none of yours:"
        )
    yours = "" if done.applied and done.patches else ", and changed none of yours"
    return f"Added {len(done.adds)} files{yours}:"


def _others(others: list[Entry]) -> list[str]:
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


def _figures(figures: dict[str, float]) -> str:
    first = ", ".join(f"{name} {value:.4g}" for name, value in list(figures.items())[:4])
    return f" ({first})" if first else ""


def _twice(same: bool) -> str:
    return f"  run twice {'the same bytes both times' if same else 'not the same; see below'}"


def _columns(paths: list[str]) -> list[str]:
    return [f"  {path}" for path in paths]


def _patches(done: Adopted) -> list[list[str]]:
    found = []
    for patch in done.patches:
        head = f"Changed {patch.path}" if done.applied else f"Not changed, and should be: {patch.path}"
        diff = patch.diff.encode("utf-8", "replace").decode()
        found.append([f"{head}; {patch.because}.", *diff.rstrip("\n").splitlines()])
    if found and done.patch_file:
        tail = f"To change {'it' if len(found) == 1 else 'them'}: git apply {shlex.quote(done.patch_file)}"
        if any(patch.path == ".gitignore" for patch in done.patches):
            tail += "  (until then .git/info/exclude has the lines of .gitignore, in this clone only)"
        found.append([tail])
    return found


def _obstacles(done: Adopted) -> list[str]:
    """Those that are the same in several places, once."""
    where: dict[tuple[str, str], list[str]] = {}
    for one in done.obstacles:
        where.setdefault((one.what, one.do), []).append(one.where)
    return [f"- {', '.join(dict.fromkeys(places))}: {what}. {do}" for (what, do), places in where.items()]


def _next(done: Adopted) -> list[str]:
    lines = [
        "Next:" if shown(done.root) == "." else f"Next: cd {shlex.quote(shown(done.root))}",
        "  git diff --cached            # all that was added; git reset, and it is not",
        "  git commit -m 'Train by DVC'",
        "  uv tool install 'mlops-new[kit]'; mlops-kit train && mlops-kit gate && mlops-kit register",
    ]
    return lines if done.ran else [*lines, f"It was not run: {done.dvc} repro"]


def as_data(done: Adopted) -> dict[str, Any]:
    content = {
        key: value for key, value in vars(done).items() if key not in ("entry", "others", "stage", "patches")
    }
    return {
        **content,
        "root": str(done.root),
        "entry": asdict(done.entry),
        "others": [one.path for one in done.others],
        "stage": {**asdict(done.stage), "in_git": sorted(done.stage.in_git)} if done.stage else None,
        "patches": [{"path": one.path, "diff": one.diff, "because": one.because} for one in done.patches],
        "obstacles": [asdict(one) for one in done.obstacles],
    }
