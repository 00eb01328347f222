"""Stages of dvc.yaml are resolved as DVC does it; the expected values are what `dvc repro` wrote into its lock."""

import pytest
from mlops_kit.base.errors import KitError
from mlops_kit.project import resolve
from mlops_kit.project.resolve import ExpectedStage


def resolved(dvc: str, **files: str) -> dict[str, ExpectedStage]:
    texts = {"dvc.yaml": dvc} | {name.replace("__", "."): text for name, text in files.items()}
    return resolve.stages(texts.get)


PARAMS = "data: raw.csv\nseed: 1\nfast: true\ntrain: {rate: 0.1, names: [a, b]}\n"


def test_variables_are_filled_in() -> None:
    found = resolved(
        """\
vars: [more.json, {suffix: csv}, "some.toml:left, right"]
stages:
  prepare:
    cmd: sh prepare.sh ${data} ${fast} ${train.rate} ${train.names[1]} ${ left } \\${kept}
    deps: [prepare.sh, "${data}", {other.csv: {hash: md5}}]
    params: [seed, train.rate, {more.json: [a.b, c]}, {whole.yaml: }]
    outs: ["out.${suffix}", {big.bin: {cache: false}}]
    metrics: [{m.json: {cache: false}}]
    plots: [p.csv]
""",
        params__yaml=PARAMS,
        more__json='{"a": {"b": 1}, "c": 2}',
        some__toml='left = "l"\nright = "r"',
    )
    assert found["prepare"] == ExpectedStage(
        "prepare",
        "sh prepare.sh raw.csv true 0.1 b l ${kept}",
        frozenset({"prepare.sh", "raw.csv", "other.csv"}),
        frozenset({"out.csv", "big.bin", "m.json", "p.csv"}),
        {
            "params.yaml": frozenset({"seed", "train.rate"}),
            "more.json": frozenset({"a.b", "c"}),
            "whole.yaml": None,
        },
    )


@pytest.mark.parametrize(
    ("over", "names"),
    [
        ("[one, 2, true]", {"s@one": "run one", "s@2": "run 2", "s@true": "run true"}),
        ("${train.names}", {"s@a": "run a", "s@b": "run b"}),
        ("{x: 1, y: 2}", {"s@x": "run 1", "s@y": "run 2"}),
    ],
)
def test_foreach_makes_a_stage_of_each_item(over: str, names: dict[str, str]) -> None:
    found = resolved(
        f"stages:\n  s:\n    foreach: {over}\n    do: {{cmd: 'run ${{item}}'}}\n", params__yaml=PARAMS
    )
    assert {name: stage.cmd for name, stage in found.items()} == names


def test_foreach_over_mappings_is_named_by_place() -> None:
    found = resolved("stages:\n  s:\n    foreach: [{a: 1}, {a: 2}]\n    do: {cmd: 'run ${item.a}'}\n")
    assert {name: stage.cmd for name, stage in found.items()} == {"s@0": "run 1", "s@1": "run 2"}


def test_matrix_makes_a_stage_of_each_combination() -> None:
    found = resolved(
        "stages:\n  s:\n    matrix:\n      m: [cnn, xgb]\n      f: [{n: 1}, {n: 2}]\n"
        "    cmd: run ${key} ${item.m} ${item.f.n}\n    outs: ['${item.m}-${item.f.n}']\n"
    )
    assert {name: stage.cmd for name, stage in found.items()} == {
        "s@cnn-f0": "run cnn-f0 cnn 1",
        "s@cnn-f1": "run cnn-f1 cnn 2",
        "s@xgb-f0": "run xgb-f0 xgb 1",
        "s@xgb-f1": "run xgb-f1 xgb 2",
    }
    assert found["s@xgb-f1"].outs == {"xgb-2"}


OPTIONS = "o: {rate: 0.1, name: a b, on: true, off: false, many: [1, x y], in: {deep: 2}}\n"


@pytest.mark.parametrize(
    ("config", "cmd"),
    [
        ("", "--rate 0.1 --name 'a b' --on --many 1 'x y' --in.deep 2"),
        (
            "[parsing]\n    bool = boolean_optional\n    list = append\n",
            "--rate 0.1 --name 'a b' --on --no-off --many 1 --many 'x y' --in.deep 2",
        ),
    ],
)
def test_a_mapping_in_a_command_is_its_options(config: str, cmd: str) -> None:
    texts = {"dvc.yaml": "stages: {s: {cmd: 'run ${o}'}}", "params.yaml": OPTIONS, ".dvc/config": config}
    assert resolve.stages(texts.get)["s"].cmd == f"run {cmd}"


def test_a_list_of_commands_and_a_working_directory() -> None:
    found = resolved(
        "stages: {s: {wdir: 'sub/${x}', cmd: [a, 'b ${x}'], deps: [../c]}}", params__yaml="x: y\n"
    )
    assert found["s"] == ExpectedStage("s", ["a", "b y"], frozenset({"../c"}), frozenset(), {}, "sub/y")


def test_variables_of_a_stage_are_its_own() -> None:
    found = resolved(
        "stages:\n  s: {vars: [{x: 1}], cmd: 'run ${x}'}\n  t: {cmd: 'run ${x}'}\n", params__yaml="x: 0\n"
    )
    assert (found["s"].cmd, found["t"].cmd) == ("run 1", "run 0")


@pytest.mark.parametrize(
    ("dvc", "says"),
    [
        ("stages: {s: {cmd: 'run ${x}'}}", r"s\.cmd can't be resolved: \$\{x\} is not defined"),
        ("vars: [secret.py]", "secret.py is Python, which would have to be run"),
        ("vars: [gone.yaml]", r"gone\.yaml is not there"),
        ("stages: {s: {cmd: a, deps: ['${l}']}}\nvars: [{l: [1]}]", "a list is not allowed here"),
        ("stages: {s: {cmd: a, deps: 3}}", r"s\.deps can't be resolved: it is a int"),
        ("stages: [s]", "stages can't be resolved: it is a list"),
        ("stages: {s: x}", "s can't be resolved: it is a str"),
    ],
)
def test_what_cannot_be_resolved_is_said(dvc: str, says: str) -> None:
    with pytest.raises(KitError, match=says):
        resolved(dvc)
