"""Keeps a profile of the window that `mlops-kit monitor` checked, and the distances of what it compared; the kit runs this."""

import argparse
import hashlib
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import profiles

IGNORE = "*\n"  # Git: profiles change with every check, and a training wants a clean tree
DIFFERENCE = """The verdict is the one of `mlops-kit monitor`. whylogs measures the same rows by their profiles, each column by one
distance; the limits are the kit's, resampled from the reference for a window of this size, and wider by what a
profile does not know exactly. Missing values, spread, shape and new categories are the kit's alone to judge. Where the
two differ, the verdict stands."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--keep", type=Path, required=True, help="Folder of the profiles of all checks."
    )
    keep: Path = parser.parse_args().keep
    check = json.loads(given("CHECK").read_text("utf-8"))
    limits = json.loads(given("LIMITS").read_text("utf-8"))["columns"]
    version = check["version"] or "no-version"
    parts = {"window": check["window"], "reference": version}
    files = {"window": given("ROWS"), "reference": given("REFERENCE")}
    made = {
        part: profiles.profile(files[part], check["at"], part=part, name=name, version=version)
        for part, name in parts.items()
    }
    view = given("VIEWS") / "whylogs"
    for part, name in parts.items():
        profiles.write(made[part], keep / f"{part}s" / named(name, files[part]))
        profiles.write(made[part], view / f"{part}.bin")
    compared = profiles.profile(given("WINDOW"), check["at"])  # so many rows as the limits are for
    (keep / ".gitignore").write_text(IGNORE, encoding="utf-8")
    scores = judged(profiles.distances(compared, made["reference"]), limits)
    told = {"at": check["at"], "version": version, "window": check["window"], "columns": scores}
    (view / "scores.json").write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    (view / "scores.md").write_text(page(check, scores), encoding="utf-8")
    print(view / "scores.md")


def given(name: str) -> Path:
    if not (path := os.environ.get(f"MLOPS_{name}")):
        sys.exit(f"no MLOPS_{name}: run `mlops-kit monitor check`")
    return Path(path)


def named(name: str, rows: Path) -> str:
    """The same rows again are the same file, so that merging counts no row twice."""
    words = re.sub(r"[^A-Za-z0-9.]+", "-", Path(name).stem).strip("-.") or "rows"
    with rows.open("rb") as stream:
        return f"{words[:60]}-{hashlib.file_digest(stream, 'sha256').hexdigest()[:8]}.bin"


def judged(
    found: dict[str, dict[str, Any]], limits: dict[str, dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    made = {}
    for name, one in found.items():
        if one["distance"] in (limit := limits.get(name, {})):
            bound = limit[one["distance"]] + one["unsure_by"]
            made[name] = {**one, "limit": bound, "moved": one["score"] > bound}
    return made


def page(check: dict[str, Any], scores: dict[str, dict[str, Any]]) -> str:
    data = check["data"]
    said = {one["column"]: one["what"] for one in data["drifts"]}
    lines = [
        f"| {name} | {said.get(name, 'no drift')} | {one['score']:.3f}{' (above)' if one['moved'] else ''} | {one['limit']:.3f} |"
        for name, one in scores.items()
    ]
    changes = [f"- {one['column']}: {one['kind']}, {one['what']}" for one in data["changes"]]
    return "\n".join(
        [
            f"# Inputs: {data['state']}",
            "",
            f"{check['window']}, {data['compared']:,} of {data['n']:,} rows, against {check['version'] or 'the rows here'}.",
            "",
            "| column | the kit | distance of whylogs | limit |",
            "|---|---|---|---|",
            *lines,
            "",
            *changes,
            *([""] if changes else []),
            DIFFERENCE,
            "",
        ]
    )


if __name__ == "__main__":
    main()
