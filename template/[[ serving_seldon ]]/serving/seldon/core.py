"""What answers, whatever the engine: a loaded model with its checks, its fast path and its log."""

import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Protocol

from serving.seldon.predictions_log import PredictionsLog

Row = dict[str, Any]
Columns = dict[str, list[Any]]  # a list for each column, one value a row
Answer = dict[str, Any]
PLAIN = (bool, int, float, str, type(None))
TRACEBACK_EVERY = 60.0  # seconds, at most
Function = Callable[[list[Row]], list[Answer]]


class Refused(Exception):
    """The request is refused: an HTTP status and the reason, which holds no value of the request."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Checks(Protocol):
    """What a row must hold, in a repository that says so: door.Door."""

    readers: dict[str, Callable[[Any], Any]]  # by column
    extra: int  # values of unknown columns that were ignored

    def columns(self, rows: list[Row]) -> Columns:
        """Raises Refused."""


@dataclass
class Core:
    """A served version. `slow_because` is empty where the fast path answers."""

    name: str
    version: str
    function: Function  # rows in, answers out: the pipeline's own
    schema: Any = None  # pipeline.schema.Schema; None where the repository has none
    door: Checks | None = None
    fast: Any = None  # FastPath
    slow_because: str = ""
    log: PredictionsLog | None = None
    probes: list[Row] = field(default_factory=list)
    answered: int = 0  # rows
    refused: int = 0  # requests
    failed: int = 0  # requests
    next_traceback: float = 0.0
    observe: Callable[[float], None] = lambda seconds: None

    @property
    def extra(self) -> int:
        """Values of unknown columns that were ignored."""
        return self.door.extra if self.door else 0

    @property
    def lost(self) -> int:
        """Lines of the predictions log that could not be written."""
        return self.log.dropped if self.log else 0

    def predict(self, rows: list[Row], request_id: str = "") -> list[Answer]:
        """An answer a row: the columns that `pipeline.predict` writes. Raises Refused for rows that are not allowed."""
        begin = time.perf_counter()
        try:
            columns = self.door.columns(rows) if self.door else _unchecked(rows)
            answers = self.answers(columns, rows)
            if not self.fast:
                _check(answers, len(rows))
        except Refused as refused:
            self._log_error(len(rows), str(refused), request_id)
            raise
        except Exception as error:  # noqa: BLE001  # a model may raise anything
            raise self._failed(len(rows), error, request_id) from None
        seconds = time.perf_counter() - begin
        self.answered += len(answers)
        self.observe(seconds)
        if self.log:
            self._log(columns, answers, seconds, request_id)
        return answers

    def _failed(self, n: int, error: Exception, request_id: str) -> Refused:
        """Without the error's message, which may hold values of the request."""
        self.failed += 1
        kind = type(error).__name__
        if time.monotonic() > self.next_traceback:
            self.next_traceback = time.monotonic() + TRACEBACK_EVERY
            print("".join(traceback.format_tb(error.__traceback__)) + kind, file=sys.stderr)
        self._log_error(n, f"the model failed: {kind}", request_id)
        # a value that the model does not take, such as 1e300 where it computes with 32 bits; or its own fault
        takes_no_such_rows = (ValueError,) if self.door else (ValueError, KeyError, TypeError)
        status = 422 if isinstance(error, takes_no_such_rows) else 500
        return Refused(status, "the model does not take these rows; the server's log says why")

    def answers(self, columns: Columns, rows: list[Row]) -> list[Answer]:
        if self.fast:
            return self.keyed(columns, self.fast.predict(columns))
        if self.door:
            rows = [
                dict(zip(columns, values, strict=True))
                for values in zip(*columns.values(), strict=True)
            ]
        return self.function(rows)

    def keyed(self, columns: Columns, values: Any) -> list[Answer]:
        """As `pipeline.evaluate.add_keys` writes them."""
        schema, n = self.schema, len(values)
        keys = map(str, columns[schema.key] if schema.key else range(n))
        if schema.task == "regression":
            pairs = zip(keys, values.tolist(), strict=True)
            return [{"key": key, "prediction": value} for key, value in pairs]
        classes = [schema.classes[code] for code in values.argmax(axis=1)]
        if schema.task == "binary":
            triples = zip(keys, classes, values[:, 1].tolist(), strict=True)
            return [{"key": key, "prediction": one, "probability": p} for key, one, p in triples]
        names = [f"probability.{name}" for name in schema.classes]
        rows = zip(keys, classes, values.tolist(), strict=True)
        return [
            {"key": key, "prediction": one} | dict(zip(names, p, strict=True))
            for key, one, p in rows
        ]

    def _log(
        self, columns: Columns, answers: list[Answer], seconds: float, request_id: str
    ) -> None:
        assert self.log
        common = self._facts(request_id) | {"seconds": round(seconds, 6)}
        left_out = {*self.log.masked, *((self.schema.key,) if self.schema else ())}
        names = [name for name in columns if name not in left_out]
        inputs = (
            zip(*(columns[name] for name in names), strict=True) if names else [()] * len(answers)
        )
        self.log.add(
            common | _nested(answer) | {"inputs": dict(zip(names, values, strict=True))}
            for answer, values in zip(answers, inputs, strict=True)
        )

    def _log_error(self, n: int, error: str, request_id: str) -> None:
        if self.log:
            self.log.add([self._facts(request_id) | {"rows": n, "error": error}])

    def _facts(self, request_id: str) -> dict[str, Any]:
        facts = {"time": datetime.now(UTC).isoformat(), "version": self.version}
        return facts | ({"request_id": request_id} if request_id else {})


def _unchecked(rows: list[Row]) -> Columns:
    """Of a repository without a schema: rows with the same columns."""
    if any(type(row) is not dict or row.keys() != rows[0].keys() for row in rows):
        raise Refused(422, "the rows are not objects with the same columns")
    return {name: [row[name] for row in rows] for name in rows[0]}


def _check(answers: list[Answer], n: int) -> None:
    """What a function of the repository returned. Raises RuntimeError."""
    if not isinstance(answers, list) or len(answers) != n:
        raise RuntimeError("the function did not return a list with an answer for each row")
    for answer in answers:
        if not isinstance(answer, dict) or answer.keys() != answers[0].keys():
            raise RuntimeError("the answers are not dicts with the same keys")
        for value in answer.values():
            if type(value) not in PLAIN or (type(value) is float and not isfinite(value)):
                raise RuntimeError("an answer holds what is no text, finite number, bool or None")


def _nested(answer: Answer) -> Answer:
    """Probabilities by class as one object, as the predictions log has them."""
    shares = {
        k.removeprefix("probability."): v for k, v in answer.items() if k.startswith("probability.")
    }
    if not shares:
        return answer
    return {k: v for k, v in answer.items() if not k.startswith("probability.")} | {
        "probability": shares
    }
