"""Requests that are lost while a process is killed, the version changes or the server stops, with the real model."""

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.measure import output
from tests.bench.peers import Peers
from tests.bench.serving import FEATURES, project_of
from tests.bench.tables import Reach, Table
from tests.kit.serving.running import Load, Running, load, running, until
from tests.kit.small_repository import Small

CALLERS = 4  # with a kept connection, and as many with a new one for each request
SLOW = 120.0  # seconds until a version is served


@dataclass
class Served:
    """A repository with v0.1.0 and v0.2.0, where v0.1.0 is in production, and a request."""

    root: Path
    kit: Path
    body: bytes
    promoted: str = "v0.1.0"

    def promote_other(self) -> str:
        self.promoted = "v0.2.0" if self.promoted == "v0.1.0" else "v0.1.0"
        output([self.kit, "promote", self.promoted, "--why", "measured"], self.root)
        return self.promoted


def serve_lost(peers: Peers, runs: int) -> Table:
    """Each event `runs` times, beside callers that ask without a pause."""
    served = _served(peers)
    events: dict[str, Callable[[Served], list[Load]]] = {
        "kill -9 of one of two replicas": _replica_killed,
        "kill -9 of one of two Envoys, callers retry once": _envoy_killed,
        "change of version": _version_changed,
        "graceful stop": _stopped,
    }
    reaches, notes = [], []
    for name, event in events.items():
        loads = [one for _ in range(runs) for one in event(served)]
        lost = [says for one in loads for says in one.lost]
        reaches.append(Reach(f"lost, {name}", len(lost), 0, "requests"))
        notes.append(f"{name}: {sum(len(one.answers) for one in loads):,} requests answered, {runs} times")
        for says in lost[:3]:
            print(f"{name}: {says}", file=sys.stderr)
    return Table("serve-lost", {}, reaches, notes)


@contextmanager
def _under_load(served: Served, *, again: bool = False) -> Iterator[tuple[Running, list[Load]]]:
    with running(Small(served.root)) as server, ExitStack() as callers:
        loads = [
            callers.enter_context(load(server, CALLERS, keep=keep, again=again, body=served.body))
            for keep in (True, False)
        ]
        yield server, loads


def _answered(loads: list[Load], more: int = 200) -> None:
    """Waits until each group of callers got `more` answers."""
    goal = [len(one.answers) + more for one in loads]
    until(lambda: all(len(one.answers) >= n for one, n in zip(loads, goal, strict=True)), SLOW)


def _killed(served: Served, program: str, *, again: bool) -> list[Load]:
    """Kills one of two processes whose command holds the word, and waits until there are two again."""
    with _under_load(served, again=again) as (server, loads):
        os.kill(server.children(program)[0], signal.SIGKILL)
        _answered(loads)
        until(lambda: len(server.children(program)) == 2, SLOW)
        _answered(loads)
    return loads


def _replica_killed(served: Served) -> list[Load]:
    return _killed(served, "serving.seldon.replica", again=False)


def _envoy_killed(served: Served) -> list[Load]:
    return _killed(served, "--config-path", again=True)


def _version_changed(served: Served) -> list[Load]:
    with _under_load(served) as (server, loads):
        version = served.promote_other()
        server.process.send_signal(signal.SIGHUP)
        until(lambda: f"{version} answers now" in server.said, SLOW)
        _answered(loads)
        assert {one.versions[-1] for one in loads} == {version}
    return loads


def _stopped(served: Served) -> list[Load]:
    with _under_load(served) as (server, loads):
        assert server.end() == 0
    return loads


def _served(peers: Peers) -> Served:
    root, kit = peers.work / "lost/flights", peers.kit()
    given = json.loads(output([project_of(peers) / ".venv/bin/python", "-c", FEATURES], project_of(peers)))
    body = json.dumps({"rows": given["rows"][:1]}).encode()
    if root.exists():
        shutil.rmtree(root.parent)
    shutil.copytree(project_of(peers), root, symlinks=True)
    dvc = ["uv", "run", "dvc"]
    commands: list[list[str | Path]] = [
        ["git", "init", "--quiet", "--bare", "--initial-branch=main", root.parent / "origin.git"],
        ["git", "remote", "add", "origin", root.parent / "origin.git"],
        [*dvc, "remote", "add", "--quiet", "--default", "storage", root.parent / "storage"],
    ]
    for rate in ("0.05", "0.1"):  # a version each
        commands += [
            ["sed", "-i", f"s/learning_rate: .*/learning_rate: {rate}/", "params.yaml"],
            [*dvc, "repro", "--quiet"],
            [*dvc, "push", "--quiet"],
            ["git", "add", "--all"],
            ["git", "commit", "--quiet", "--no-verify", f"--message=Learning rate {rate}"],
            ["git", "push", "--quiet", "--set-upstream", "origin", "main"],
            [kit, "gate"],
            [kit, "register"],
        ]
    commands.append([kit, "promote", "v0.1.0", "--why", "first"])
    for command in commands:
        output(command, root)
    return Served(root, kit, body)


TABLES = {"serve-lost": (serve_lost, 3)}
