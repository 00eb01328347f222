"""Numbers of a metrics file, whoever wrote it."""

from mlops_kit.data.metrics_file import all_metrics, metric_at


def test_a_whole_number_that_no_float_can_hold_is_no_metric() -> None:
    large = 10**400
    assert all_metrics({"a": large, "b": {"value": large}, "c": 1}).keys() == {"c"}
    assert metric_at({"a": {"value": 1, "low": large}, "n": large}, "a") is not None
    found = all_metrics({"a": {"value": 1, "low": large}, "n": large})["a"]
    assert not found.is_within and found.n is None
