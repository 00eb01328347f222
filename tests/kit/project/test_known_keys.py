"""A key of mlops.yaml that the kit does not know: what was meant, and where all keys are described."""

import re
from typing import Any

import pytest
from mlops_kit import HOME
from mlops_kit.base.errors import KitError
from mlops_kit.project import contract
from mlops_new.template.releases import SOURCE, publisher

from tests.conftest import ROOT

GATE = {"kind": "threshold", "metric": "auc", "at_least": 0.7}


def refused(**keys: Any) -> KitError:
    with pytest.raises(KitError) as error:
        contract.parse({"model": "flights", "metrics": "metrics.json", **keys})
    return error.value


@pytest.mark.parametrize(
    ("keys", "key", "meant"),
    [
        ({"gatess": {}}, "gatess", "gates"),
        ({"artefacts": []}, "artefacts", "artifacts"),
        ({"monitoring": {"lable": "late"}}, "monitoring.lable", "label"),
        ({"commands": {"validates": "x"}}, "commands.validates", "validate"),
        ({"gates": {"good": {**GATE, "atleast": 0.7}}}, "gates.good.threshold.atleast", "at_least"),
        ({"new_data": {"newest_row": {"column": "at", "at_most_day": 3}}}, "new_data.newest_row.at_most_day", "at_most_days"),
        ({"label": "late"}, "label", "monitoring.label"),
    ],
)  # fmt: skip
def test_the_key_that_was_meant_is_named(keys: dict[str, Any], key: str, meant: str) -> None:
    error = refused(**keys)
    assert f"mlops.yaml: {key} is not a key that the kit knows (value " in error.what
    assert error.what.endswith(f" Did you mean {meant!r}?")


def test_nothing_is_suggested_where_nothing_is_similar() -> None:
    assert refused(xyzzy=1).what == "mlops.yaml: xyzzy is not a key that the kit knows (value 1)."


def test_the_reference_page_has_an_address() -> None:
    address = refused(xyzzy=1).do.removeprefix("All keys: ")
    path = re.fullmatch(rf"{re.escape(HOME)}/blob/v[\d.]+/(.*)", address)
    assert path and (ROOT / path[1]).is_file()
    assert f"https://github.com/{publisher((SOURCE / 'copier.yml').read_text('utf-8'))}" == HOME
