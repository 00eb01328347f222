"""Read the window to check from a file, a pattern or a bucket: in one pass and in bounded memory."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mlops_kit.base import clock, temporary
from mlops_kit.base.errors import KitError
from mlops_kit.base.progress import Progress, Say, quiet
from mlops_kit.data import tables as table_files
from mlops_kit.data.sampling import Draw
from mlops_kit.predictions_log import lines, sources
from mlops_kit.predictions_log.counts import Tally
from mlops_kit.predictions_log.lines import SLICE
from mlops_kit.predictions_log.sources import LOG
from mlops_kit.project.lock import file_md5

NOTHING = "{}"  # inputs of a call that was refused before it was parsed
LINES = (
    1_000_000  # kept of the window, and as many before it: more would only show changes that are too small
)
UNREADABLE = (OSError, UnicodeError, pa.ArrowException)
OnRows = Callable[[dict[str, pa.Array]], None]  # takes a batch of rows
QUOTED = re.compile(r"(Expected \d+ columns, got \d+):.*", re.DOTALL)
SEPARATED = re.compile(r"[;\t|]")  # by another character than a comma


@dataclass
class Window:
    name: str
    rows: int = 0  # with inputs
    drawn: dict[str, pa.Array] = field(default_factory=dict)  # a random sample of the rows, in their order
    facts: pa.Table | None = None  # of a log: its lines without inputs, or a random sample of very many
    tally: Tally = field(default_factory=Tally)  # of a log: counts of all its lines
    broken: int = 0  # lines that are no JSON object
    masked: set[str] = field(default_factory=set)  # inputs that are kept out of the log on purpose
    notes: list[str] = field(default_factory=list)
    since: datetime | None = None  # of a log: the window's lines are later; `facts` go further back
    until: datetime | None = None  # of a log: later lines are ignored

    @property
    def is_log(self) -> bool:
        return self.facts is not None

    @property
    def of_a_draw(self) -> list[str]:
        """A note, if the log has more lines than `facts` holds."""
        kept, total = len(self.facts or ()), self.tally.lines
        note = f"all {total:,} lines of the log are counted, and a random sample of {kept:,} is judged"
        return [note] if total > kept else []


class Facts:
    """Samples the lines of the window and the earlier ones separately, so that a long past does not crowd out the window."""

    def __init__(self, since: datetime | None) -> None:
        self.since, self.earlier, self.window = since, Draw(LINES), Draw(LINES)

    def add(self, batch: pa.Table) -> None:
        later = lines.are_later(batch["time"], self.since) if self.since else None
        self.window.add(batch if later is None else lines.only(batch, later))
        if later is not None:
            self.earlier.add(lines.only(batch, pc.invert(later)))

    def drawn(self) -> pa.Table | None:
        """None if there was no line."""
        batches = [*self.earlier.batches(), *self.window.batches()]
        return pa.concat_tables(batches, promote_options="permissive") if batches else None


def read(
    where: str,
    most: int,
    slices: list[str],
    days: float | None = None,
    on_rows: OnRows | None = None,
    say: Say = quiet,
) -> Window:
    """A window of at most `most` sampled rows. `slices`: inputs that `facts` hold too. `days`: the window is the log's last days.

    `on_rows` gets all rows, batch by batch. Raises KitError if there is no file, or one cannot be read.
    """
    with temporary.folder() as folder:
        files = sources.files(where, folder)
        since = _since(files, days)
        return read_files(where, files, most, slices=slices, since=since, on_rows=on_rows, say=say)


def read_files(
    name: str,
    files: list[Path],
    most: int,
    *,
    together: int = 1,
    slices: list[str] | None = None,
    since: datetime | None = None,
    on_rows: OnRows | None = None,
    say: Say = quiet,
) -> Window:
    progress = Progress(say)
    window = Window(sources.shown(name), tally=Tally(since), since=since, until=clock.given())
    draw, facts = Draw(most, together), Facts(since)
    first_copies: dict[tuple[int, str], Path] = {}
    for file in files:
        try:
            first = (
                first_copies.setdefault((file.stat().st_size, file_md5(file)), file) if files[1:] else file
            )
            if first is not file and file.stat().st_size:
                window.notes.append(f"{file.name} holds what {first.name} holds and is left out")
                continue
            for batch in (
                lines.lines(file, window, slices or [], since) if file.suffix in LOG else batches(file)
            ):
                progress.add(len(batch))
                if file.suffix in LOG:
                    window.tally.add(batch)
                    facts.add(batch.drop_columns(["inputs", "no_time"]))
                    batch = batch.select(["inputs"]).filter(pc.not_equal(batch["inputs"], NOTHING))
                window.rows += len(batch)
                draw.add(batch)
                if on_rows:
                    on_rows(_join([batch]))
        except UNREADABLE as error:
            raise unreadable(file.name, error) from error
    window.drawn = _join(draw.batches())
    window.facts = facts.drawn()
    hide(window, window.masked)
    return window


def hide(window: Window, names: Iterable[str]) -> None:
    """Masks these columns: they are not compared, and none of their values is shown."""
    window.masked.update(names)
    window.drawn = {name: values for name, values in window.drawn.items() if name not in window.masked}
    if window.facts is not None:
        slices = {f"{SLICE}{name}" for name in window.masked}.intersection(window.facts.column_names)
        window.facts = window.facts.drop_columns(list(slices))


def unreadable(name: str, error: Exception) -> KitError:
    """The error without the row that Arrow quotes: it may be personal data, and the event of the check is published."""
    reason = QUOTED.sub(r"\1", str(error))
    what = f"{name} cannot be read: {reason}"
    if isinstance(error, MemoryError):
        return KitError(what, "It needs more memory than this machine gives it.")
    return KitError(what, "Is it whole, and is its text UTF-8?")


def repeated(window: Window, key: str) -> list[str]:
    """A note on duplicate keys: the same rows twice would count as twice the evidence."""
    if window.facts is not None:
        later = lines.are_later(window.facts["time"], window.since) if window.since else None
        facts = window.facts if later is None else lines.only(window.facts, later)
        keys = np.sort(facts["key"].drop_null().to_numpy())
        n, more = len(keys), int((keys[1:] == keys[:-1]).sum())
    elif key in window.drawn:
        values = window.drawn[key].drop_null()
        n, more = len(values), len(values) - pc.count_distinct(values).as_py()
    else:
        return []
    return [f"{more:,} of {n:,} keys occurred before: are rows here twice?"] if more else []


def identity(window: Window) -> str:
    """Equal for two checks of the same rows. For a log's last days it is their begin: they end with the newest line."""
    if window.since:
        return window.since.isoformat()
    with pa.BufferOutputStream() as sink:
        drawn = pa.table(window.drawn)
        with pa.ipc.new_stream(sink, drawn.schema) as stream:
            stream.write_table(drawn)
        return hashlib.md5(sink.getvalue(), usedforsecurity=False).hexdigest()


def span(window: Window) -> tuple[datetime, datetime] | None:
    """The begin of a log and its newest line without a future time; None if no line has a time."""
    first, last = window.tally.first, window.tally.last
    if first is None or last is None:
        return None
    return window.since or datetime.fromtimestamp(first, UTC), datetime.fromtimestamp(last, UTC)


def batches(file: Path) -> Iterator[pa.Table]:
    record_batches = (
        table_files.texts(file) if file.suffix in table_files.NAMED else table_files.batches(file, _once)
    )
    for batch in record_batches:
        if (
            file.suffix in table_files.NAMED
            and len(batch.schema.names) == 1
            and SEPARATED.search(batch.schema.names[0])
        ):
            raise KitError(
                f"{file.name} has one column, {batch.schema.names[0]!r}.",
                "Columns are separated by commas here.",
            )
        yield pa.Table.from_batches([batch])


def _once(names: list[str]) -> list[str]:
    return [name for name in names if names.count(name) == 1]


def _since(files: list[Path], days: float | None) -> datetime | None:
    """`days` before the newest line of a log, ignoring future times; None for the whole log."""
    if days is None:
        return None
    newest = lines.newest(
        (file for file in files if file.suffix in LOG), clock.given() or clock.now() + lines.AHEAD
    )
    return newest - timedelta(days=days) if newest else None


def _join(batches: list[pa.Table]) -> dict[str, pa.Array]:
    """Columns of all batches: null if a batch lacks one, text if batches differ in type."""
    if not batches:
        return {}
    if batches[0].column_names == ["inputs"]:
        return _of_json([one for batch in batches for one in batch["inputs"].to_pylist()])
    try:
        table = pa.concat_tables(batches, promote_options="permissive")
    except pa.ArrowException:
        table = pa.concat_tables([_as_texts(batch) for batch in batches], promote_options="permissive")
    return {name: table[name].combine_chunks() for name in table.column_names}


def _as_texts(batch: pa.Table) -> pa.Table:
    return batch.cast(pa.schema([(name, pa.string()) for name in batch.column_names]))


def _of_json(texts: list[str]) -> dict[str, pa.Array]:
    entries = [json.loads(text) for text in texts]  # of one row each
    names = dict.fromkeys(name for entry in entries for name in entry)
    columns = {}
    for name in names:
        values = [entry.get(name) for entry in entries]
        try:
            columns[name] = pa.array(values)
        except (pa.ArrowException, OverflowError):  # of several types
            columns[name] = pa.array(
                [None if one is None else lines.text(one) for one in values], pa.string()
            )
    return columns
