"""Strict models for files, and the parser that names file, field and value of what does not fit."""

import json
import math
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from mlops_kit.base.errors import KitError
from mlops_kit.base.markdown import one_line

M = TypeVar("M")
MOST_PROBLEMS, LONGEST_VALUE, LONGEST = 5, 80, 300  # in one error


class Strict(BaseModel):
    """Refuses unknown keys and is immutable.

    The text under a field describes it in the published schema, and is read by docs/generate.py alone.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


class Exact(Strict):
    """For JSON that the kit wrote, perhaps in a job that is not trusted: no type is converted, numbers are finite."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)

    def text(self) -> str:
        return json.dumps(self.model_dump(), indent=2, ensure_ascii=False) + "\n"


def _finite(value: Any) -> Any:
    """`allow_inf_nan` does not reach the values of a JsonObject. Raises ValueError for NaN and infinity at any depth."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is not a finite number")
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _finite(inner)
    return value


JsonObject = Annotated[dict[str, Any], AfterValidator(_finite)]


def parse(model: type[M], text: str | bytes, where: str, fault: str, do: str) -> M:
    """Parse the JSON of the file `where`. Raises KitError: `where`, the `fault` (a verb and its object), fields, values."""
    from pydantic import TypeAdapter  # takes every command 4 ms, and most parse nothing

    try:
        return TypeAdapter(model).validate_json(text)
    except ValidationError as error:
        problems = [
            one_line(_in_words(one), LONGEST) for one in error.errors(include_url=False)[:MOST_PROBLEMS]
        ]
        raise KitError(f"{where} {fault}: {'; '.join(problems)}.", do) from error
    except RecursionError as error:
        raise KitError(f"{where} {fault}: it is nested too deeply.", do) from error


def _in_words(problem: Any) -> str:
    field = ".".join(map(str, problem["loc"])) or "the file"
    if problem["type"] == "missing":
        return f"{field} is missing"
    if problem["type"] == "json_invalid":
        return str(problem["msg"])
    value = repr(problem["input"])
    shown = value if len(value) <= LONGEST_VALUE else f"{value[:LONGEST_VALUE]}..."
    if problem["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"{field} is not a known key (value {shown})"
    return f"{field} is {shown}: {problem['msg'].removeprefix('Value error, ')}"
