"""The demonstration says month by month what a careful reader of the flights would: forty seconds, so three months of nine."""

import re
import sys
from pathlib import Path

from tests.conftest import must

SAID = [
    r"2013-04   4,000  drift +1  drift +roc_auc 0\.6\d\d \(.*\) \+concept-drift \+data-drift",
    r"2013-05   4,000  drift +2  holds +roc_auc 0\.7\d\d \(.*\) \+schema -concept-drift",
    r"2013-06   4,000  drift +3  drift +roc_auc 0\.7\d\d \(.*\) \+concept-drift",
]


def test_the_months_as_the_demonstration_tells_them(tmp_path: Path) -> None:
    """Each has its own flights alone, whether it has thirty days or one more."""
    said = must([sys.executable, "-m", "mlops_kit", "monitor", "demo", "--months", "4-6"], tmp_path)
    head, *months = said.partition("\n\n")[0].splitlines()
    assert head.split() == ["month", "rows", "inputs", "moved", "concept", "metric", "alarms"]
    assert len(months) == len(SAID)
    for month, words in zip(months, SAID, strict=True):
        assert re.fullmatch(words, month), month
