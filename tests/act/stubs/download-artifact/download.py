"""What actions/download-artifact does, with a folder in place of GitHub's store."""

import fnmatch
import os
import shutil
import sys
from pathlib import Path

STORE = Path(os.environ["STUB_ARTIFACTS"])


def main() -> int:
    name, pattern = os.environ["NAME"], os.environ["PATTERN"] or "*"
    into = Path.cwd() / os.environ["INTO"]
    found = sorted(path for path in STORE.iterdir() if fnmatch.fnmatchcase(path.name, name or pattern))
    if name and not found:
        print(f"::error::Unable to download artifact(s): Artifact not found for name: {name}")
        return 1
    into.mkdir(parents=True, exist_ok=True)
    for artifact in found:
        flat = name or os.environ["MERGE"] == "true"
        shutil.copytree(artifact, into if flat else into / artifact.name, dirs_exist_ok=True)
    with Path(os.environ["GITHUB_OUTPUT"]).open("a") as out:
        out.write(f"download-path={into}\n")
    print(f"{len(found)} artifacts downloaded to {into}")
    return 0


sys.exit(main())
