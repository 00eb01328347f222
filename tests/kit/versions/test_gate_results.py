"""Gate results are parsed strictly: what another job, or a person, altered is refused in a sentence."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from mlops_kit.base import strict
from mlops_kit.base.errors import KitError
from mlops_kit.versions import gate_results
from mlops_kit.versions.gate_results import GateResult, Verdict

from tests.kit.script_repository import Scripted

RESULT = GateResult(
    name="right", kind="threshold", status="pass", says="0.8, at least 0.7", value=0.8, details={"n": 5}
)
VERDICT = Verdict(results=[RESULT], measured={"size": {"bytes": 1, "of": {"model": 1}}}, better="better")

Content = dict[str, Any]


def result(**changed: Any) -> Callable[[Content], Content]:
    return lambda content: content | {"results": [content["results"][0] | changed]}


def verdict(**changed: Any) -> Callable[[Content], Content]:
    return lambda content: content | changed


def without(key: str) -> Callable[[Content], Content]:
    def change(content: Content) -> Content:
        del content["results"][0][key]
        return content

    return change


WRONG = {
    "an unknown key": (result(register=True), "results.0.register is not a known key (value True)"),
    "an unknown key of the verdict": (verdict(is_open=True), "is_open is not a known key (value True)"),
    "a word of its own": (result(status="passed"), "results.0.status is 'passed': Input should be 'pass'"),
    "a number as text": (result(value="0.8"), "results.0.value is '0.8': Input should be a valid number"),
    "a truth as a number": (result(value=True), "results.0.value is True: Input should be a valid number"),
    "NaN": (result(value=float("nan")), "results.0.value is nan: Input should be a finite number"),
    "infinity inside": (
        result(details={"a": [{"b": float("inf")}]}),
        "results.0.details is {'a': [{'b': inf}]}: inf is not a finite number",
    ),
    "NaN that was measured": (verdict(measured={"size": {"bytes": float("nan")}}), "measured is"),
    "a missing field": (without("says"), "results.0.says is missing"),
    "a list for a mapping": (result(details=["x"]), "results.0.details is ['x']: Input should be"),
    "a result that is none": (verdict(results=[["right", "pass"]]), "results.0 is ['right', 'pass']"),
    "results by name": (verdict(results={"right": "pass"}), "results is {'right': 'pass'}: Input should be"),
    "another opinion": (verdict(better="much better"), "better is 'much better'"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_verdict_that_was_altered_is_refused(what: str) -> None:
    change, says = WRONG[what]
    text = json.dumps(change(json.loads(VERDICT.text())))
    with pytest.raises(
        KitError, match=re.escape(f"mlops-run/gates.json is not a verdict: {says}")
    ) as refused:
        strict.parse(Verdict, text, "mlops-run/gates.json", "is not a verdict", "Train again.")
    assert len(refused.value.what) < 500
    assert refused.value.do == "Train again."


@pytest.mark.parametrize("text", ["", "null", "[]", "{", '"pass"', "\x00", "[" * 10_000])
def test_what_is_no_verdict_at_all_is_refused(text: str) -> None:
    with pytest.raises(KitError, match=r"gates\.json is not a verdict"):
        strict.parse(Verdict, text, "gates.json", "is not a verdict", "")


def test_the_json_is_that_of_the_fields_in_their_order() -> None:
    content = json.loads(VERDICT.text())
    assert list(content) == ["results", "measured", "better", "against"]
    fields = ["name", "kind", "status", "says", "value", "bound", "loosened", "because", "details"]
    assert list(content["results"][0]) == fields
    assert strict.parse(Verdict, VERDICT.text(), "it", "is not a verdict", "") == VERDICT


def test_the_kept_verdict_that_was_altered_is_refused(small: Scripted) -> None:
    gate_results.save(small.repository, VERDICT, "run-1")
    file = small.root / gate_results.STATE
    content = json.loads(file.read_text())
    assert list(content) == ["results", "measured", "better", "against", "open", "commit", "run", "of"]
    assert gate_results.load(small.repository) == VERDICT
    for change, says in (*WRONG.values(), (without("name"), "results.0.name is missing")):
        file.write_text(json.dumps(change(json.loads(json.dumps(content)))))
        with pytest.raises(KitError, match=re.escape(says)) as refused:
            gate_results.load(small.repository)
        assert refused.value.what.startswith(".mlops/gates.json is damaged: ")
        assert refused.value.do == "`rm .mlops/gates.json`, then `mlops-kit gate`."


@pytest.mark.parametrize("key", ["results", "measured", "better", "against", "open", "commit", "run", "of"])
def test_a_kept_verdict_without_a_key_is_refused(key: str, small: Scripted) -> None:
    gate_results.save(small.repository, VERDICT, "run-1")
    file = small.root / gate_results.STATE
    content = json.loads(file.read_text())
    del content[key]
    file.write_text(json.dumps(content))
    with pytest.raises(KitError, match=f"damaged: {key} is missing"):
        gate_results.load(small.repository)


def test_a_kept_verdict_that_is_no_json_is_refused(small: Scripted) -> None:
    (small.root / ".mlops").mkdir()
    for text in ("{", "[]", "null", "0"):
        (small.root / gate_results.STATE).write_text(text)
        with pytest.raises(KitError, match="is damaged"):
            gate_results.load(small.repository)
