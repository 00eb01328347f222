"""The same reference is resampled once for each size of window, whatever test asks for it."""

import hashlib
from typing import Any

import pytest
from mlops_kit.statistics.resampling import LEVEL, Limits, Resampling

_resample = Resampling.limits
_found: dict[Any, Limits] = {}


@pytest.fixture(scope="session", autouse=True)
def _resampled_once() -> Any:
    """Thresholds depend on nothing but the bins, the codes and their order: the draws have a fixed seed."""

    def limits(self: Resampling, n: int, level: float = LEVEL) -> Limits:
        bins = [(one.kind, one.size, one.is_ordered) for one in self.bins]
        codes = hashlib.sha256(self.codes.tobytes()).hexdigest(), self.codes.shape
        key = repr((bins, codes, self.ordered, n, level))
        if key not in _found:
            _found[key] = _resample(self, n, level)
        return _found[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Resampling, "limits", limits)
        yield
