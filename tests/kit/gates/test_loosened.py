"""A gate that is loosened in the change that it judges is flagged, whatever it says."""

import json
from typing import Any, get_args

import pytest
from mlops_kit.gates import judge, loosened
from mlops_kit.project import contract
from mlops_kit.project.sections import Gate
from mlops_kit.registry import card
from mlops_kit.registry.show import results
from mlops_kit.reports import report_html
from mlops_kit.runs import events

from tests.conftest import must
from tests.kit.builders import a_record
from tests.kit.gates.test_kinds import CHAMPION, FAIR, THRESHOLD, judged, one
from tests.kit.script_repository import Scripted, register


@pytest.mark.parametrize(
    ("was", "now", "words"),
    [
        (THRESHOLD, {"at_least": 0.6}, "at_least 0.7 -> 0.6"),
        (THRESHOLD, {"margin": 0}, "margin 0.01 -> 0"),
        (THRESHOLD, {"min_rows": 30}, "min_rows 100 -> 30"),
        (THRESHOLD, {"interval": False}, "interval True -> False"),
        (THRESHOLD, {"at_least": "baseline.accuracy"}, "at_least 0.7 -> baseline.accuracy"),
        (THRESHOLD, {"metric": "n"}, "metric accuracy -> n"),
        (THRESHOLD, {"at_least": 0.75}, ""),
        (THRESHOLD, {"margin": 0.02, "min_rows": 200, "because": "of this"}, ""),
        (FAIR, {"gap_at_most": 0.2}, "gap_at_most 0.1 -> 0.2"),
        (FAIR, {"min_rows": 500}, "min_rows 100 -> 500"),
        (FAIR, {"gap_at_most": 0.05}, ""),
        (CHAMPION, {"worse_by_at_most": 0.05}, "worse_by_at_most 0.01 -> 0.05"),
        (CHAMPION, {"confidence": 0.8}, "confidence 0.95 -> 0.8"),
        (CHAMPION, {"min_rows": 50}, "min_rows 200 -> 50"),
        (CHAMPION, {"confidence": 0.99, "worse_by_at_most": 0}, ""),
        ({"kind": "size", "mb_at_most": 1}, {"mb_at_most": 2}, "mb_at_most 1 -> 2"),
        ({"kind": "size", "mb_at_most": 1}, THRESHOLD | {"mb_at_most": None}, "kind size -> threshold"),
    ],
)
def test_a_loosened_gate_is_flagged_and_judged(
    was: dict[str, Any], now: dict[str, Any], words: str, small: Scripted
) -> None:
    small.gates(gate=was)
    small.commit()
    register(small.repository, "small@v0.1.0")
    after = {key: value for key, value in (was | now).items() if value is not None}
    if after["kind"] != was["kind"]:
        after = {key: value for key, value in now.items() if value is not None}
    result = one(small, **after)
    assert result.loosened == (f"since v0.1.0: {words}" if words else "")
    assert result.kind == after["kind"]


def test_a_removed_gate_is_flagged_and_other_predictions_too(small: Scripted) -> None:
    small.gates(a=THRESHOLD, b=CHAMPION | {"because": "of this"})
    small.commit()
    register(small.repository, "small@v0.1.0")
    small.contract(gates={"a": THRESHOLD})
    kept, gone = judged(small).results
    assert kept.loosened == ""
    assert (gone.name, gone.kind, gone.status, gone.because) == ("b", "removed", "pass", "of this")
    assert gone.loosened == "since v0.1.0: removed"
    assert card.MARKS[gone.shown] == "⚠️ removed"
    assert report_html.WORDS[gone.shown] == "removed"
    assert card.gates_table([gone.model_dump()]).count("⚠️ removed") == 1
    assert results(a_record(small.repository.commit(), gates=[gone.model_dump()]))[-1].startswith(
        "  gate        b: removed,"
    )
    assert len(judged(small, only="a").results) == 1
    small.contract(metrics="other.json")
    (small.root / "other.json").write_text((small.root / "metrics.json").read_text())
    assert judged(small).results[0].loosened == "since v0.1.0: metrics metrics.json -> other.json"


def test_a_pull_request_is_compared_with_the_branch_it_goes_to(
    small: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.gates(gate=THRESHOLD | {"at_least": 0.8})
    small.commit()
    register(small.repository, "small@v0.1.0")
    small.gates(gate=THRESHOLD)
    small.commit()
    must(["git", "update-ref", "refs/remotes/origin/main", "HEAD"], small.root)
    monkeypatch.setenv("GITHUB_BASE_REF", "main")
    assert one(small, **THRESHOLD).loosened == ""
    lower = one(small, **THRESHOLD | {"at_least": 0.1})
    assert lower.loosened == "since origin/main: at_least 0.7 -> 0.1"


def test_fragments_belong_to_what_was(small: Scripted) -> None:
    (small.root / "mlops.d").mkdir()
    (small.root / "mlops.d/tier.yaml").write_text(f"gates:\n  more: {json.dumps(THRESHOLD)}\n")
    small.commit()
    register(small.repository, "small@v0.1.0")
    (small.root / "mlops.d/tier.yaml").unlink()
    assert [result.kind for result in judged(small).results] == ["removed"]


def test_an_earlier_contract_that_cannot_be_read_is_said(small: Scripted) -> None:
    (small.root / "mlops.yaml").write_text("metrics: metrics.json\nold: key\n")
    small.commit()
    register(small.repository, "small@v0.1.0")
    (small.root / "mlops.yaml").unlink()
    small.gates(gate=THRESHOLD)
    heard: list[str] = []
    journal = events.go_on(small.repository)
    judge.judge(small.repository, contract.load(small.root), journal, heard.append)
    assert any("Whether a gate was loosened is not known" in line for line in heard)


@pytest.mark.parametrize("section", Gate.__subclasses__())
def test_what_a_kind_reads_is_a_part_of_the_contract(section: type[Gate]) -> None:
    """A path that does not exist would never be flagged."""
    assert section.judged_by
    for path in section.judged_by:
        model: Any = contract.Contract
        for part in path.split("."):
            (fields,) = [
                one.model_fields for one in (model, *get_args(model)) if hasattr(one, "model_fields")
            ]
            model = fields[part].annotation


def test_another_column_to_compare_by_is_flagged(small: Scripted) -> None:
    small.gates(a=CHAMPION)
    then = contract.load(small.root)
    assert then.predictions
    other = then.predictions.model_copy(update={"prediction": "guess"})
    now = then.model_copy(update={"predictions": other})
    assert (
        loosened.changes("a", now, then) == f"predictions.prediction {then.predictions.prediction} -> guess"
    )
