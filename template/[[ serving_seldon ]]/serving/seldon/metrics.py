"""Prometheus metrics of a served version. Their labels come from the version, never from a request."""

from collections.abc import Iterable

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Histogram, Metric

from serving.seldon.core import Core

BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)


class Metrics:
    """Reads a core's counters when Prometheus asks, so that a request costs one observation."""

    def __init__(self, core: Core) -> None:
        self.core = core
        seconds = Histogram(
            "mlops_predict_seconds", "Time to check and predict", ["version"], buckets=BUCKETS
        )
        core.observe = seconds.labels(core.version).observe
        REGISTRY.register(self)

    def collect(self) -> Iterable[Metric]:
        core, label = self.core, ["version"]
        counters = {
            "mlops_predictions": ("Rows that were answered", core.answered),
            "mlops_requests_refused": ("Requests that were refused with a 4xx", core.refused),
            "mlops_requests_failed": ("Requests on which the model failed", core.failed),
            "mlops_extra_columns": (
                "Values of columns that data/schema.yaml does not know",
                core.extra,
            ),
            "mlops_log_lines_lost": (
                "Lines of the predictions log that were not written",
                core.lost,
            ),
        }
        for name, (text, value) in counters.items():
            counter = CounterMetricFamily(name, text, labels=label)
            counter.add_metric([core.version], value)
            yield counter
        gauge = GaugeMetricFamily(
            "mlops_fast_path", "1: the fast path answers, 0: the slow one", labels=label
        )
        gauge.add_metric([core.version], 0 if core.slow_because else 1)
        yield gauge
