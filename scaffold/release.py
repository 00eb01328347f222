"""Releases the version that pyproject.toml names, and begins the next: python scaffold/release.py [--next 0.3.0]

The template goes into scaffold/releases/, where what was released stays as it was; the change log gets its date;
a commit and a tag are made; and every place that names the version gets the next one, in a commit of its own. That
commit also lists the released one, which generated workflows name our actions by. Nothing is pushed.
"""

import argparse
import datetime
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from mlops_new.template import releases

# Where the version stands, and the line around it. A test finds each.
PLACES = {
    "pyproject.toml": 'version = "{}"',
    "copier.yml": '  default: "{}"',
    "actions/mlops_kit/__init__.py": 'VERSION = "{}"',
}
CHANGES = "CHANGELOG.md"


class Refused(Exception):
    """What stands in the way of a release, and what to do."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--next", help="the version to begin; else the next minor one")
    parser.add_argument("--dry-run", action="store_true", help="say what would be released; change nothing")
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1], help=argparse.SUPPRESS)
    asked = parser.parse_args()
    try:
        version = named(asked.root)
        following = asked.next or after(version)
        check(asked.root, version, following)
        if asked.dry_run:
            print(f"Would release {version} and begin {following}.")
            return 0
        release(asked.root, version, following)
    except (Refused, releases.AlteredRelease) as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    print(f"Released {version} and began {following}. Publish it: git push --atomic origin HEAD v{version}")
    return 0


def named(root: Path) -> str:
    """The version that all places name."""
    found = {}
    for name, line in PLACES.items():
        pattern = "^" + re.escape(line).replace(r"\{\}", r"(\d+\.\d+\.\d+)")
        match = re.search(pattern, (root / name).read_text(encoding="utf-8"), re.MULTILINE)
        found[name] = match[1] if match else "none"
    if len(set(found.values())) > 1 or "none" in found.values():
        raise Refused(
            "The places that name the version differ: " + ", ".join(map(" has ".join, found.items()))
        )
    return found["pyproject.toml"]


def after(version: str) -> str:
    major, minor, _ = releases.numbers(version)
    return f"{major}.{minor + 1}.0"


def check(root: Path, version: str, following: str) -> None:
    if not re.fullmatch(r"\d+\.\d+\.\d+", following) or releases.numbers(following) <= releases.numbers(
        version
    ):
        raise Refused(f"{following} does not come after {version}.")
    if changed := git(root, "status", "--porcelain"):
        raise Refused(f"There are changes that are not committed; commit them first:\n{changed}")
    if git(root, "tag", "--list", f"v{version}"):
        raise Refused(
            f"The tag v{version} is there already. Begin the next version: set it in {', '.join(PLACES)}."
        )
    text = (root / CHANGES).read_text(encoding="utf-8")
    if not re.search(rf"^## \[{re.escape(version)}\] - unreleased\n+(### .*\n)?- ", text, re.MULTILINE):
        raise Refused(
            f"{CHANGES} has no section `## [{version}] - unreleased` with a line that says whom it helps."
        )


def release(root: Path, version: str, following: str) -> None:
    """Both commits and the tag, or none of them."""
    start = git(root, "rev-parse", "HEAD")
    try:
        bundle = releases.append(root, f"v{version}")
        replace(root / CHANGES, f"## [{version}] - unreleased", f"## [{version}] - {datetime.date.today()}")
        git(root, "add", "--force", str(bundle))
        git(root, "commit", "--quiet", "--all", f"--message=Release {version}")
        git(root, "tag", "--annotate", f"--message=Release {version}", f"v{version}")
        released = git(root, "rev-parse", "HEAD")
        with (root / releases.ARCHIVE / releases.COMMITS).open(
            "a", encoding="utf-8", newline="\n"
        ) as commits:
            commits.write(f"v{version} {released}\n")
        git(root, "add", "--force", f"{releases.ARCHIVE}/{releases.COMMITS}")
        for name, line in PLACES.items():
            replace(root / name, line.format(version), line.format(following))
        heading = f"## [{version}] - "
        replace(root / CHANGES, heading, f"## [{following}] - unreleased\n\n{heading}")
        git(root, "commit", "--quiet", "--all", f"--message=Begin {following}")
    except BaseException:
        git(root, "reset", "--quiet", "--hard", start)
        subprocess.run(["git", "tag", "--delete", f"v{version}"], cwd=root, capture_output=True, check=False)
        raise


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, (file, old)
    file.write_text(text.replace(old, new), encoding="utf-8", newline="\n")


def git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root, check=True, stdout=subprocess.PIPE, encoding="utf-8")
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
