"""What actions/upload-artifact does, with a folder in place of GitHub's store."""

import os
import re
import shutil
import sys
from pathlib import Path

STORE = Path(os.environ["STUB_ARTIFACTS"])
HIDDEN = os.environ["HIDDEN"] == "true"


def parents(pattern: str) -> Path:
    """Where the search for a pattern begins: all before its first wildcard."""
    parts = Path(pattern).parts
    fixed = next((i for i, part in enumerate(parts) if re.search(r"[*?\[]", part)), len(parts))
    return Path.cwd() / Path(*parts[:fixed])


def files(top: Path) -> list[Path]:
    """Without what begins with a dot, the place where the search begins included."""
    if not HIDDEN and top.name.startswith("."):
        return []
    if top.is_dir():
        return [file for path in sorted(top.iterdir()) for file in files(path)]
    return [top] if top.is_file() else []


def matches(pattern: str, file: Path) -> bool:
    if parents(pattern) == Path.cwd() / pattern:
        return file.is_relative_to(Path.cwd() / pattern)
    wild = re.escape(str(Path.cwd() / pattern))
    wild = (
        wild.replace(r"\*\*/", "(?:.*/)?")
        .replace(r"\*\*", ".*")
        .replace(r"\*", "[^/]*")
        .replace(r"\?", "[^/]")
    )
    return re.fullmatch(f"{wild}(?:/.*)?", str(file)) is not None


def main() -> int:
    patterns = [line.strip() for line in os.environ["PATHS"].splitlines() if line.strip()]
    wanted = [pattern for pattern in patterns if not pattern.startswith("!")]
    unwanted = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    tops = [parents(pattern) for pattern in wanted]
    found = {
        file
        for pattern, top in zip(wanted, tops, strict=True)
        for file in files(top)
        if matches(pattern, file) and not any(matches(no, file) for no in unwanted)
    }
    name = os.environ["NAME"]
    if re.search(r'[":<>|*?\r\n\\/]', name):
        print(f"::error::The artifact name is not valid: {name}")
        return 1
    if not found:
        said = f"No files were found with the provided path: {', '.join(patterns)}. No artifacts will be uploaded."
        print({"warn": f"::warning::{said}", "error": f"::error::{said}"}.get(os.environ["NONE"], said))
        return int(os.environ["NONE"] == "error")
    root = tops[0] if len(tops) == 1 else Path(os.path.commonpath(tops))
    root = root.parent if found == {root} else root
    into = STORE / name
    if os.environ["OVERWRITE"] == "true":
        shutil.rmtree(into, ignore_errors=True)
    try:
        into.mkdir(parents=True)
    except FileExistsError:
        print(
            f"::error::Failed to CreateArtifact: (409) Conflict: an artifact with this name already exists: {name}"
        )
        return 1
    for file in found:
        (into / file.relative_to(root)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, into / file.relative_to(root))  # modes are lost, as in the real one
    with Path(os.environ["GITHUB_OUTPUT"]).open("a") as out:
        out.write(f"artifact-id={sum(1 for _ in STORE.iterdir())}\n")
    print(f"{len(found)} files uploaded as {name}")
    return 0


sys.exit(main())
