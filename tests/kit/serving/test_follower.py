"""Production moves while a server runs."""

import signal
import time

from tests.kit.serving.conftest import REFUSES
from tests.kit.serving.running import Running, load, running, until
from tests.kit.serving.served_repository import promote, register
from tests.kit.small_repository import Small


def answers(server: Running, version: str) -> None:
    until(lambda: server.predict()["version"] == version)


def test_the_version_changes_under_load(served: Small) -> None:
    """On SIGHUP and when asked over HTTP; of folders that of the version before stays, for a rollback."""
    with running(served) as server:
        with load(server, keep=True) as kept, load(server) as fresh:
            promote(served, "v0.2.0", 2)
            server.process.send_signal(signal.SIGHUP)
            until(lambda: fresh.versions[-1] == kept.versions[-1] == "v0.2.0")
            until(lambda: "v0.2.0 answers now" in server.said)
        assert kept.lost == fresh.lost == []
        changes = sum(a != b for a, b in zip(fresh.versions, fresh.versions[1:], strict=False))
        assert set(fresh.versions) == {"v0.1.0", "v0.2.0"} and changes < 100
        folders = served.root / ".mlops/serving/versions"
        until(lambda: sorted(path.name for path in folders.glob("*/")) == ["v0.1.0", "v0.2.0"])
        until(lambda: len(server.children("replica.py")) == 2)
        register(served, "v0.4.0", "delay 0.02")
        promote(served, "v0.4.0", 3)
        answer = server.ask("/-/refresh", "POST")
        assert (answer.status, answer.json) == (202, {"says": "the stage is looked at"})
        answers(server, "v0.4.0")
        until(lambda: sorted(path.name for path in folders.glob("*/")) == ["v0.2.0", "v0.4.0"])


def test_a_version_that_refuses_to_start_leaves_the_one_before(served: Small) -> None:
    with running(served, "--replicas", "1") as server:
        with load(server, 2) as callers:
            promote(served, "v0.3.0", 2)
            server.process.send_signal(signal.SIGHUP)
            until(lambda: "v0.3.0 cannot be served, so v0.1.0 stays" in server.said)
        assert callers.lost == [] and set(callers.versions) == {"v0.1.0"}
        assert REFUSES in server.said
        assert len(server.children("replica.py")) == 1


def test_origin_that_is_silent_changes_nothing_and_is_said_once(served: Small) -> None:
    with running(served, "--replicas", "1") as server:
        origin = served.root.parent / "origin.git"
        away = origin.rename(origin.with_name("away.git"))
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "origin cannot be reached" in server.said)
        assert server.predict()["version"] == "v0.1.0"
        away.rename(origin)
        promote(served, "v0.2.0", 2)
        begin = time.monotonic()
        server.ask("/-/refresh", "POST")
        answers(server, "v0.2.0")
        assert time.monotonic() - begin < 15
        assert server.said.count("origin cannot be reached") == 1
        assert "production can be read again" in server.said
