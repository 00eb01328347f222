"""Questions about versions where there are a thousand, and going back to the one before, in a clone without data."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.bench.kit import published
from tests.bench.measure import Job, Spent, environment, in_turns, output, ratio, seconds, spend
from tests.bench.peers import Peers
from tests.bench.tables import Reach, Table, generated

VERSIONS, PROMOTIONS, TIMES = 1_000, 200, 10
START = 1_700_000_000


def ask(peers: Peers, runs: int) -> Table:
    """Each question once, and the same with ten times the versions and promotions."""
    few, many = (_clone(peers, VERSIONS * times, PROMOTIONS * times) for times in (1, TIMES))
    md5 = f"{7:032x}"
    questions = {
        "versions": ["versions"],
        "lineage of a version": ["lineage", "v0.500.0"],
        "lineage --at": ["lineage", "--at", "2023-11-15"],
        "lineage --file": ["lineage", "--file", md5],
        "lineage --data": ["lineage", "--data", md5],
        "why": ["why", "v0.10.0", "v0.900.0"],
    }
    kit, jobs = peers.kit(), dict[str, Job]()
    for name, words in questions.items():
        jobs[name] = _in(few, _yes(kit, words))
        jobs[f"{name}, x{TIMES}"] = _in(many, _yes(kit, words))
    spent = in_turns(runs, jobs, peers.work)
    reaches = [Reach(name, seconds(spent[name]), 1.5) for name in questions]
    for name in questions:
        times = ratio(spent[f"{name}, x{TIMES}"], spent[name])
        reaches.append(Reach(f"{name}, {TIMES} times the versions", times, TIMES, "x"))
    return Table("ask", spent, reaches)


def _in(clone: Path, script: str) -> Job:
    return lambda _: spend(["sh", "-c", script], clone)


def _yes(kit: Path, words: list[str]) -> str:
    """An answer of `no such version` is an answer too."""
    return f"{kit} {' '.join(words)}; code=$?; [ $code = 0 ] || [ $code = 10 ]"


def rollback(peers: Peers, runs: int) -> Table:
    """The version before back into production: its artifacts fetched and hashed, the tag pushed."""
    clone, kit = _clone(peers, VERSIONS, PROMOTIONS), peers.kit()

    def job(folder: Path) -> Spent:
        shutil.copytree(clone.parent, folder, symlinks=True, dirs_exist_ok=True)
        return spend([kit, "rollback", "--why", "bench"], folder / clone.name)

    spent = in_turns(runs, {"mlops-kit rollback": job}, peers.work)
    return Table("rollback", spent, [Reach("median", seconds(spent["mlops-kit rollback"]), 5.0)])


def _clone(peers: Peers, versions: int, promotions: int) -> Path:
    """Of an origin with so many versions; the project's environment is here, no data is."""
    seed = peers.work / f"asked-{versions}"
    if not seed.is_dir():
        project, kit = generated(peers, "flights"), peers.kit()
        published(seed, project, kit)
        spend([kit, "register"], seed / "flights")
        write(seed / "flights", versions, promotions)
        shutil.rmtree(seed / "flights")
        spend(["git", "clone", "--quiet", f"file://{seed}/origin.git", "clone"], seed)
        spend(["git", "remote", "set-url", "origin", "../origin.git"], seed / "clone")  # of each copy its own
        (seed / "clone/.venv").symlink_to(project / ".venv")
    return seed / "clone"


def write(work: Path, versions: int, promotions: int) -> None:
    """Versions like the first one, made from the same commit; only every tenth is what its lock says."""
    main = output(["git", "rev-parse", "HEAD"], work).strip()
    files = {
        name: output(["git", "show", f"flights@v0.1.0:{name}"], work)
        for name in ("dvc.lock", "metrics.json", "record.json")
    }
    identity = output(
        ["git", "for-each-ref", "--format=%(contents:trailers)", "refs/tags/flights@v0.1.0"], work
    )
    text = "".join(_version(number, main, files, identity) for number in range(2, versions + 1))
    text += "".join(_promotion(count, versions) for count in range(1, promotions + 1))
    command = ["git", "fast-import", "--quiet"]
    subprocess.run(command, cwd=work, env=environment(), input=text.encode(), check=True)
    spend(["git", "update-ref", "-d", "refs/bench"], work)
    spend(["git", "push", "--quiet", "origin", "--tags"], work)


def _version(number: int, main: str, files: dict[str, str], identity: str) -> str:
    made = json.loads(files["record.json"])
    made |= {"version": f"v0.{number}.0", "since": f"v0.{number - 1}.0"}
    if number % 10:
        made["data"][0]["md5"] = f"{number % 100:032x}"
        made["parameters"]["train.seed"] = number
    content = {**files, "record.json": json.dumps(made, indent=2)}
    tagged = f"flights v0.{number}.0\n\nLike the one before.\n\n{identity.strip()}\n"
    when = START + number * 600
    return "".join(
        [
            f"commit refs/bench\nmark :{number}\ncommitter bench <bench@localhost> {when} +0000\n",
            f"data 5\nbench\nfrom {main}\n",
            *(f"M 100644 inline {name}\n{_data(text)}" for name, text in content.items()),
            f"tag flights@v0.{number}.0\nfrom :{number}\ntagger bench <bench@localhost> {when} +0000\n",
            _data(tagged),
        ]
    )


def _promotion(count: int, versions: int) -> str:
    number = count * (versions // 10) // 200 * 10 % (versions - 10) + 10  # every tenth, rising
    when = START + count * 3000
    said = f"flights v0.{number}.0 -> production\n\nBetter.\n\nWas: nothing\nKind: promotion\n"
    head = f"tag flights#production#{count}\nfrom :{number}\ntagger bench <bench@localhost> {when} +0000\n"
    return head + _data(said)


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}\n"


TABLES: dict[str, tuple[Callable[[Peers, int], Table], int]] = {"ask": (ask, 5), "rollback": (rollback, 5)}
