"""What is told of a new version, by a job of its own: the one that registers runs none of the repository's commands."""

import json

from tests.act.flights import GREEN, merge
from tests.act.forge import Forge

FRAGMENT = """\
hooks:
  after_register:
    broken: sh -c 'exit 7'
    told: sh -c 'echo $MLOPS_VERSION $MLOPS_TAG $GITHUB_JOB >> "$TOLD"'
registry:
  sync: sh -c 'cp "$MLOPS_HISTORY" "$MIRROR"'
"""


def test_a_new_version_is_told_to_hooks_and_registry(first: Forge) -> None:
    told, mirror = (first.bare.parent / name for name in ("told.txt", "history.json"))
    reach = {"TOLD": str(told), "MIRROR": str(mirror)}
    first.merge("Tell a file and a registry", {"mlops.d/told.yaml": FRAGMENT})
    first.run("train.yml", env=reach).must(jobs=GREEN)
    assert not told.exists() and not mirror.exists()  # nothing new

    merge(first, "params.yaml", "learning_rate: 0.05", "learning_rate: 0.1")
    outcome = first.run("train.yml", env=reach)
    outcome.must(jobs=GREEN | {"tell": "success"})
    assert outcome.outputs["register"]["register"]["untold"] == "true"
    assert told.read_text() == "v0.2.0 flights@v0.2.0 tell\n"
    history = json.loads(mirror.read_text())
    assert [one["version"] for one in history["versions"]] == ["v0.1.0", "v0.2.0"]
    assert "flights@v0.2.0 stands; of its hooks failed: broken. See above." in outcome.warnings
