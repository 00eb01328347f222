"""What tests of stages do with them, and ask of them."""

import time
from typing import Any

from mlops_kit.project.repository import Repository
from mlops_kit.registry import promote as promotion
from mlops_kit.registry.promote import Promoted, PromotionRequest
from mlops_kit.versions import version as versions

from tests.conftest import must
from tests.kit.tips import kit, means
from tests.kit.training.test_train import silent

WHY = "The newest one is better."


def promote(repository: Repository, version: str, stage: str = "production", **more: Any) -> Promoted:
    return promotion.promote(
        repository, means(repository), PromotionRequest(stage, WHY, version, **more), silent
    )


def rollback(repository: Repository, stage: str = "production", **more: Any) -> Promoted:
    return promotion.promote(
        repository, means(repository), PromotionRequest(stage, "It fails.", **more), silent
    )


def refused(repository: Repository, *words: str) -> str:
    """What a command says that changes nothing, here and at origin."""
    before = tags(repository)
    done = kit(repository, *words)
    assert done.code == 1, done.said
    assert "Traceback" not in done.said
    assert tags(repository) == before
    return done.stderr


def tags(repository: Repository) -> tuple[str, str]:
    """Here, and at origin."""
    command = ["for-each-ref", "--format=%(refname) %(objectname)", "refs/tags"]
    return repository.git(*command), must(["git", "-C", "../origin.git", *command], repository.root)


def in_production(repository: Repository) -> str:
    found = versions.in_stage(repository, "tips", "production")
    return found.name if found else ""


def a_second_later(seconds: float = 1.1) -> None:
    """GTO dates by the second, and of two tags in one second it may take either."""
    time.sleep(seconds)
