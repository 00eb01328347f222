"""Whatever is handed over is registered as it must be, or refused: no traceback, no write outside, no accepted lie."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mlops_kit.base.errors import KitError
from mlops_kit.project import contract as contracts
from mlops_kit.project.contract import Contract
from mlops_kit.project.lock import file_md5, parse_lock
from mlops_kit.project.repository import Repository
from mlops_kit.registry import candidate
from mlops_kit.registry.candidate import Candidate
from mlops_kit.runs.event_schema import RUN_ID
from mlops_kit.versions import draft
from mlops_kit.versions.gate_results import GateResult, Verdict
from mlops_kit.versions.record import Record

from tests.conftest import must

EXAMPLES = 2000
FILES = {
    "mlops.yaml": """\
model: flights
environment: [uv.lock]
artifacts: [model.txt]
metrics: metrics.json
gates:
  good-enough: {kind: threshold, metric: model.auc, at_least: 0.6, interval: false}
new_data: {watch: [{pointer: data/raw.csv.dvc, folder: incoming}]}
""",
    "dvc.yaml": """\
stages:
  prepare: {cmd: "sh prepare.sh ${data}", deps: ["${data}", prepare.sh], outs: [prepared.csv]}
  train: {cmd: sh train.sh, deps: [prepared.csv, train.sh], params: [seed, train], outs: [model.txt]}
  test: {cmd: sh test.sh, deps: [model.txt, test.sh], outs: [predictions.csv], metrics: [metrics.json]}
""",
    "params.yaml": "data: data/raw.csv\nseed: 1\ntrain: {rate: 0.1, names: [a, b]}\n",
    "uv.lock": "polars 1.0\n",
    "prepare.sh": "sort $1 > prepared.csv\n",
    "train.sh": "wc -l prepared.csv > model.txt\n",
    "test.sh": "cat model.txt > predictions.csv\n",
    "data/raw.csv.dvc": f"outs:\n- md5: {'5d' * 16}\n  size: 5\n  hash: md5\n  path: raw.csv\n",
}
METRICS = '{"model": {"n": 500, "auc": 0.71}}\n'
Files = dict[str, str]


class Cached(Repository):
    """Git is asked once for each thing: nothing changes between two examples."""

    @cache  # noqa: B019  # it lives as long as the module
    def git(self, *words: str, stdin: str | None = None, **more: str) -> str:
        return super().git(*words, stdin=stdin, **more)

    @cache  # noqa: B019  # it lives as long as the module
    def show(self, revision: str, path: str) -> str | None:
        return super().show(revision, path)


@dataclass(frozen=True, repr=False)
class Runner:
    """The clone of the job that registers, and what an honest training hands over."""

    repository: Repository
    contract: Contract
    honest: Files
    record: Record

    @property
    def folder(self) -> Path:
        return self.repository.root / "mlops-run"

    def take(self, handed: Files) -> Candidate | None:
        """As `register --from` does it."""
        self.folder.mkdir(exist_ok=True)
        for name in {*self.honest, *handed}:
            (self.folder / name).unlink(missing_ok=True)
        for name, text in handed.items():
            (self.folder / name).write_bytes(text.encode(errors="surrogatepass"))
        envelope = candidate.handover(self.contract, self.folder)
        try:
            taken = candidate.events(self.repository, envelope)
            for event in taken.events:
                json.dumps(event, allow_nan=False).encode()
                assert event["run"] == taken.run and event["stage"].partition(":")[0] in STAGES
            candidate.new_data(envelope)
            return candidate.read(self.repository, self.contract, envelope, "7-1")
        finally:
            (self.repository.root / "data/raw.csv.dvc").write_text(FILES["data/raw.csv.dvc"])

    def tree(self) -> dict[str, tuple[int, int]]:
        """Size and time of every file around, without those of Git and of the hand-over."""
        found = {}
        for folder, folders, files in os.walk(self.repository.root.parent):
            folders[:] = [name for name in folders if name not in (".git", "mlops-run")]
            for file in files:
                about = (Path(folder) / file).lstat()
                found[f"{folder}/{file}"] = (about.st_size, 0 if file == "raw.csv.dvc" else about.st_mtime_ns)
        return found


STAGES = {stage.rstrip(":") for stage in candidate.STAGES}


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    root = tmp_path_factory.mktemp("fuzz") / "flights"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    must(["git", "init", "--quiet"], root)
    must(["git", "add", "--all"], root)
    must(["git", "commit", "--quiet", "--message=Start"], root)
    repository = Cached(root)
    contract = contracts.load(root)
    (root / "metrics.json").write_text(METRICS)
    lock = yaml.safe_dump(_lock(root), sort_keys=False)
    gate = GateResult(
        name="good-enough", kind="threshold", status="pass", says="0.71 >= 0.6", value=0.71, bound=0.6
    )
    verdict = Verdict(results=[gate], measured={"size": {"bytes": 5}})
    record = draft.draft(repository, contract, parse_lock(lock), "7-1", verdict, None, on_data=False)
    made = Candidate(record, parse_lock(lock), METRICS.encode(), verdict, {})
    look = {"pointer": "data/raw.csv.dvc", "status": "nothing", "says": "nothing has landed"}
    said = {
        "run": "7-1",
        "at": record.created,
        "stage": "train",
        "status": "end",
        "seconds": 1.5,
        "commit": "x",
    }
    honest = {
        name: text if isinstance(text, str) else text.decode()
        for name, text in candidate.files(contract, made).items()
    }
    honest |= {
        "new-data.json": json.dumps({"pointers": {}, "looks": [look], "waits": []}),
        "events.jsonl": json.dumps(said | {"stage": "run", "status": "start"})
        + "\n"
        + json.dumps(said)
        + "\n",
    }
    (root / "metrics.json").unlink()
    return Runner(repository, contract, honest, record)


def loaded(text: str) -> Any:
    return yaml.load(text, yaml.CSafeLoader)


def _lock(root: Path) -> dict[str, Any]:
    def entries(*paths: str) -> list[dict[str, Any]]:
        made = {"metrics.json": file_md5(root / "metrics.json")}
        code = {path: file_md5(root / path) for path in paths if path.endswith(".sh")}
        return [
            {"path": path, "hash": "md5", "md5": (made | code).get(path, "5d" * 16), "size": 5}
            for path in paths
        ]

    train = {"params.yaml": {"seed": 1, "train": {"rate": 0.1, "names": ["a", "b"]}}}
    return {
        "schema": "2.0",
        "stages": {
            "prepare": {
                "cmd": "sh prepare.sh data/raw.csv",
                "deps": entries("data/raw.csv", "prepare.sh"),
                "outs": entries("prepared.csv"),
            },
            "train": {
                "cmd": "sh train.sh",
                "deps": entries("prepared.csv", "train.sh"),
                "params": train,
                "outs": entries("model.txt"),
            },
            "test": {
                "cmd": "sh test.sh",
                "deps": entries("model.txt", "test.sh"),
                "outs": entries("metrics.json", "predictions.csv"),
            },
        },
    }


def test_an_honest_hand_over_is_taken(runner: Runner) -> None:
    found = runner.take(runner.honest)
    assert found
    assert found.record.model_dump(exclude={"created", "reported", "trigger"}) == runner.record.model_dump(
        exclude={"created", "reported", "trigger"}
    )


# ---- mutations ----

HOSTILE: list[Any] = [
    *(
        "",
        "..",
        "../../x",
        "/etc/passwd",
        "\0",
        "a\nIdentity: 0 1",
        "::set-output name=a::b",
        "\x1b[2J",
        "\u202e",
    ),
    *(
        "\ud800",
        "@octo [x](https://evil.example)",
        "payments",
        "v9.9.9",
        "x" * 50_000,
        "8-1",
        "pass",
        "removed",
    ),
    *(
        "0001-01-01T00:00:00Z",
        "9999-99-99T99:99:99Z",
        "a.dir",
        "5d" * 16,
        "${x}",
        "*a",
        "<<",
        "!!python/name:os",
    ),
    *(
        0,
        -1,
        2**63,
        10**400,
        True,
        None,
        float("nan"),
        float("inf"),
        1e308,
        [],
        {},
        [[]],
        {"": {}},
        {"a": [{}]},
    ),
]
VALUES = st.sampled_from(HOSTILE) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
CHANGES = st.sampled_from(["replace", "replace", "remove", "add", "rename", "twice", "deep", "like another"])
MUTATIONS = st.lists(st.tuples(st.integers(0, 10_000), CHANGES, VALUES), min_size=1, max_size=3)
RAW = st.binary(max_size=20) | st.sampled_from(
    [b"[" * 5000, b"a: &a [*a]", b"{", b"\xff\xfe", b"\n---\n", b"? "]
)


def mutated(content: Any, mutations: list[tuple[int, str, Any]]) -> Any:
    around = [content]
    for number, change, value in mutations:
        places = list(_places(around))
        holder, key = places[number % len(places)]
        if change == "remove":
            del holder[key]
        elif change == "deep":
            for _ in range(150):
                value = [value]
            holder[key] = value
        elif change == "like another":
            other, place = places[(number * 7 + 3) % len(places)]
            holder[key] = json.loads(json.dumps(other[place], default=str))
        elif isinstance(holder, dict):
            if change == "rename":
                holder[str(value)] = holder.pop(key)
            else:
                holder[str(value) if change == "add" else key] = value
        else:
            holder.insert(key, holder[key] if change == "twice" else value)
        if not around:
            return None
    return around[0]


def _places(content: Any) -> Iterator[tuple[Any, Any]]:
    for key, inner in list(content.items() if isinstance(content, dict) else enumerate(content)):
        yield content, key
        if isinstance(inner, dict | list):
            yield from _places(inner)


def written(name: str, content: Any) -> str:
    if name == "dvc.lock":
        return str(yaml.dump(content, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True))
    if name == "events.jsonl":
        return (
            "".join(json.dumps(one) + "\n" for one in content)
            if isinstance(content, list)
            else json.dumps(content)
        )
    return json.dumps(content)


def read(name: str, text: str) -> Any:
    if name == "dvc.lock":
        return loaded(text)
    return [json.loads(line) for line in text.splitlines()] if name == "events.jsonl" else json.loads(text)


def refitted(runner: Runner, handed: Files) -> Files:
    """A liar makes the record fit the lock and the metrics that it hands over."""
    lock = parse_lock(handed["dvc.lock"])
    commit = runner.repository.commit()
    files = runner.record.environment.files
    known = {
        "code": draft.code(runner.repository, lock, commit),
        "data": draft.data(runner.repository, lock, commit, runner.record),
        "parameters": lock.params,
        "artifacts": draft.artifacts(runner.contract, lock),
        "identity": draft.identity(runner.contract, lock, files),
        "metrics": json.loads(handed["metrics.json"]),
    }
    return handed | {"record.json": runner.record.model_copy(update=known).text()}


NAMES = ("record.json", "dvc.lock", "dvc.lock", "gates.json", "new-data.json", "events.jsonl", "metrics.json")


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    name=st.sampled_from(NAMES),
    mutations=MUTATIONS,
    fits=st.booleans(),
    raw=st.none() | st.tuples(st.integers(0, 9999), RAW),
)
def test_a_hand_over_is_honest_or_refused(
    name: str,
    mutations: list[tuple[int, str, Any]],
    fits: bool,
    raw: tuple[int, bytes] | None,
    runner: Runner,
) -> None:
    handed = dict(runner.honest)
    try:
        handed[name] = written(name, mutated(read(name, handed[name]), mutations))
        if fits:
            handed = refitted(runner, handed)
    except (
        KitError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        RecursionError,
        yaml.YAMLError,
        Warning,
    ):
        pass  # nobody could write that
    if raw and not fits:
        place = raw[0] % len(handed[name])
        handed[name] = handed[name][:place] + raw[1].decode("latin-1") + handed[name][place:]
    before = runner.tree()
    try:
        found = runner.take(handed)
    except KitError:
        return
    finally:
        assert runner.tree() == before
    if found:
        _is_true(runner, found)


def _is_true(runner: Runner, found: Candidate) -> None:
    """Everything that Git, dvc.yaml and the runner tell is as they tell it."""
    honest, record = runner.record, found.record
    assert (record.model, record.version, record.since, record.description) == ("flights", None, None, "")
    assert record.code == honest.code
    assert record.parameters == honest.parameters
    assert record.environment.files == honest.environment.files
    assert [(one.path, one.md5) for one in record.data] == [(one.path, one.md5) for one in honest.data]
    assert record.identity == draft.identity(runner.contract, found.lock, honest.environment.files)
    assert record.trigger.run == "7-1" and RUN_ID.fullmatch(record.trigger.run)
    assert record.metrics == json.loads(found.metrics)
    assert found.pointers.keys() <= {"data/raw.csv.dvc"}
    if found.verdict.is_open:
        assert record.metrics["model"]["auc"] >= 0.6
    said, true = loaded(found.lock.text)["stages"], _shape_of_the_truth(runner)
    assert {name: _shape(stage) for name, stage in said.items()} == true
    json.dumps(record.model_dump(), allow_nan=False).encode()
    for line in (record.trigger.actor, record.trigger.event, record.environment.platform):
        assert line.isprintable()


def _shape_of_the_truth(runner: Runner) -> dict[str, Any]:
    return {name: _shape(stage) for name, stage in loaded(runner.honest["dvc.lock"])["stages"].items()}


def _shape(stage: dict[str, Any]) -> dict[str, Any]:
    """What dvc.yaml and Git tell of a stage in the lock: everything but the hashes of what it made."""
    known = {one["path"]: one["md5"] for one in stage["deps"] if one["path"].endswith(".sh")}
    paths: Callable[[str], list[str]] = lambda part: sorted(one["path"] for one in stage.get(part, []))
    return {
        "cmd": stage["cmd"],
        "deps": paths("deps"),
        "outs": paths("outs"),
        "params": stage.get("params"),
        "code": known,
    }
