"""A server's life: it starts, loses a process, ends. Callers ask all the time, and no request is lost."""

import os
import signal
import socket
import sys
import time

import pytest
from mlops_kit.base.errors import KitError
from mlops_kit.cli.commands.serving import serve
from mlops_kit.serving import loopback

from tests.conftest import Done
from tests.kit.serving.conftest import REFUSES
from tests.kit.serving.running import command_of, load, running, until
from tests.kit.small_repository import Small


def test_a_replica_that_is_killed_costs_no_request(served: Small) -> None:
    with running(served) as server:
        with load(server, keep=True) as kept, load(server) as fresh:
            victim = server.predict()["pid"]
            os.kill(victim, signal.SIGKILL)
            until(lambda: "replica" in server.said.partition("warning:")[2])
            until(lambda: len(server.children("replica.py")) == 2)
            until(lambda: len({answer["pid"] for answer in fresh.answers[-20:]}) == 2)
        assert kept.lost == fresh.lost == []
        assert victim not in {answer["pid"] for answer in fresh.answers[-20:]}
        assert "ended (signal 9); it is started again" in server.said


def test_a_replica_that_hangs_costs_time_and_no_request(served: Small) -> None:
    with running(served) as server:
        hangs = server.predict()["pid"]
        os.kill(hangs, signal.SIGSTOP)
        slowest = 0.0
        while slowest < 4:
            begin = time.monotonic()
            assert server.predict()["pid"] != hangs
            slowest = max(slowest, time.monotonic() - begin)
        assert slowest < 8


def test_a_proxy_that_is_killed_costs_no_request_of_a_caller_that_asks_again(served: Small) -> None:
    with running(served) as server:
        with load(server, keep=True, again=True) as kept, load(server, again=True) as fresh:
            os.kill(server.children("envoy")[0], signal.SIGKILL)
            time.sleep(0.5)
            until(lambda: len(server.children("--config-path")) == 2)
            time.sleep(0.5)
        assert kept.lost == fresh.lost == []
        assert kept.refused == fresh.refused == 0


def test_stop_ends_every_request_first(served: Small) -> None:
    with running(served, "--replicas", "1") as server:
        children = server.children("")
        with load(server, keep=True) as kept, load(server) as fresh:
            assert server.end() == 0
        assert kept.lost == fresh.lost == []
        assert server.said.rstrip().endswith("stopped")
        assert [pid for pid in children if command_of(pid)] == []
        assert not (served.root / f".mlops/serving/port-{server.port}").exists()
        assert not (served.root / server.facts["targets"]).exists()
        with running(served, "--port", str(server.port)) as again:  # at once, on the same port
            assert again.predict()["version"] == "v0.1.0"


def test_a_second_ctrl_c_ends_at_once(served: Small) -> None:
    with running(served, "--replicas", "1") as server:
        children = server.children("")
        server.process.send_signal(signal.SIGINT)
        until(lambda: "stop:" in server.said)
        begin = time.monotonic()
        assert server.end(signal.SIGINT) == 1
        assert time.monotonic() - begin < 1.5
        assert [pid for pid in children if command_of(pid)] == []


def test_a_server_that_is_killed_leaves_nothing_behind(served: Small) -> None:
    with running(served) as server:
        children = server.children("")
        assert len(children) == 4
        server.process.kill()
        server.process.wait()
        until(lambda: not [pid for pid in children if command_of(pid)], 5)


def test_a_version_by_its_name_and_the_workspace(served: Small) -> None:
    """Neither follows the stage."""
    with running(served, "--version", "0.2.0", "--replicas", "1", "--no-log") as server:
        assert (server.predict()["version"], server.predict()["log"]) == ("v0.2.0", "")
        assert server.ask("/-/refresh", "POST").json["says"] == "this server follows no stage"
    assert [one.name for one in served.root.glob(".mlops/serving/versions/*/")] == ["v0.2.0"]
    served.write("model.txt", "delay 0")
    with running(served, "--workspace", "--replicas", "1") as server:
        assert (server.predict()["version"], server.facts["version"]) == ("", "")
        assert "stale" not in server.said
        until(lambda: not [*served.root.glob(".mlops/serving/versions/*/")])


# ---- what does not start ----


def refused(one: Small, *words: str) -> Done:
    done = one.kit("serve", *words)
    assert done.code == 1, done.said
    assert done.stdout == "" and "Traceback" not in done.stderr
    return done


def test_a_replica_that_refuses_to_start(served: Small) -> None:
    said = refused(served, "--port", "0", "--version", "v0.3.0").stderr
    assert "mlops-kit: The replicas of v0.3.0 do not start:\n" in said
    assert f"\n{REFUSES}\n" in said.partition("mlops-kit: ")[2]
    assert "started again" not in said  # another start would refuse too


def test_a_port_that_is_taken(served: Small) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        said = refused(served, "--port", port).stderr
    assert f"mlops-kit: Port {port} is taken: another program answers there." in said
    assert "--port 0" in said
    assert not (served.root / ".mlops/serving/versions").exists()  # nothing was begun


def test_two_servers_have_one_port_on_two_addresses(served: Small) -> None:
    with running(served, "--replicas", "1") as one:
        words = ("--replicas", "1", "--host", "127.0.0.2", "--port", str(one.port))
        with running(served, *words) as other:
            assert one.facts["targets"] != other.facts["targets"]
            assert other.end() == 0
        assert one.predict()["version"] == "v0.1.0"
        assert (served.root / one.facts["targets"]).exists()
        assert one.end() == 0


def test_a_place_that_cannot_be_written_is_said_before_anything_starts(served: Small) -> None:
    port = loopback.free(1)[0].port
    (served.root / f".mlops/serving/port-{port}").write_text("")
    said = refused(served, "--port", str(port)).stderr
    assert "cannot be written" in said and "replica" not in said


def test_two_servers_do_not_share_a_port(served: Small) -> None:
    with running(served, "--replicas", "1") as server:
        assert f"Port {server.port} is taken" in refused(served, "--port", str(server.port)).stderr


def test_nothing_is_in_production_yet(served: Small) -> None:
    served.git("push", "--quiet", "origin", "--delete", "flights#production#1")
    for tag in served.git("tag", "--list", "flights#*").split():
        served.git("tag", "--delete", tag)
    said = refused(served, "--port", "0").stderr
    assert "mlops-kit: production of flights holds no version yet." in said
    assert "`mlops-kit promote v0.3.0 --why ...`" in said and "`mlops-kit serve --version v0.3.0`" in said


def test_no_version_yet(served: Small) -> None:
    served.edit("mlops.yaml", "model: flights", "model: trains")
    said = refused(served, "--port", "0").stderr
    assert "mlops-kit: trains has no version yet." in said and "`mlops-kit serve --workspace`" in said


def test_what_mlops_yaml_lacks_is_named(served: Small) -> None:
    served.edit("mlops.yaml", "  predict: pipeline.predict:answers\n", "")
    assert (
        "Write `serving: {predict: module:function}` into mlops.yaml" in refused(served, "--workspace").stderr
    )
    text = (served.root / "mlops.yaml").read_text().partition("serving:")[0]
    served.write("mlops.yaml", text)
    assert "`mlops-new add serving=seldon`" in refused(served).stderr


def test_windows_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(KitError, match="Envoy does not run here"):
        serve.command.main([], standalone_mode=False)


def test_a_program_that_is_not_there_is_named(served: Small) -> None:
    served.edit("mlops.yaml", "  replica: python", "  replica: no-such-python")
    assert (
        "no-such-python cannot be started: No such file or directory."
        in refused(served, "--port", "0").stderr
    )
