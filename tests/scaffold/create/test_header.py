"""The columns of a file, before anything is installed."""

from pathlib import Path

import pyarrow as pa
import pytest
from mlops_new.base.errors import MlopsNewError
from mlops_new.create import header
from mlops_new.create.request import CreateRequest, check_request
from pyarrow import parquet

from tests.scaffold.create.tables import rows, written


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_columns_of_a_csv(separator: str, encoding: str, tmp_path: Path) -> None:
    table = [{"Größe": row["x"], **row, " ": "a"} for row in rows()]
    (tmp_path / "churn.csv").write_bytes(written(table, separator, encoding))
    if encoding != "cp1252":  # which is guessed with a library that the generator lacks; then it is None
        assert header.columns(tmp_path / "churn.csv") == ["Größe", "x", "colour", "count", "y", "column_5"]
    else:
        assert header.columns(tmp_path / "churn.csv") in (
            None,
            ["Größe", "x", "colour", "count", "y", "column_5"],
        )


def test_columns_of_a_large_file_whose_letters_are_cut_by_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "churn.csv").write_text("name,y\n" + "ä,1\n" * 500, encoding="utf-8")
    for limit in range(60, 70):
        monkeypatch.setattr(header, "READ", limit)
        assert header.columns(tmp_path / "churn.csv") == ["name", "y"]


@pytest.mark.parametrize(
    "content", [b"", b"\n\n\n", b"1,2\n3,4\n", b"Report 2024\na,b,c\n1,2,3\n4,5,6\n", b"PAR1"]
)
def test_a_file_without_a_header_is_left_to_the_inference(content: bytes, tmp_path: Path) -> None:
    for name in ("churn.csv", "churn.parquet"):
        (tmp_path / name).write_bytes(content)
        assert header.columns(tmp_path / name) in (None, ["PAR1"])


@pytest.mark.parametrize(
    ("named", "option", "do"),
    [
        ({"target": "colur"}, "--target", "Did you mean 'colour', 'count'?"),
        ({"target": "nothing"}, "--target", "Its columns: 'x', 'colour', 'count', 'y'"),
        ({"target": "y", "time": "cuont"}, "--time", "Did you mean 'count'?"),
        ({"target": "y", "slices": ("color",)}, "--slice", "Did you mean 'colour'?"),
    ],
)
def test_a_column_that_is_not_there_is_refused_before_anything_is_installed(
    named: dict[str, str], option: str, do: str, tmp_path: Path
) -> None:
    (tmp_path / "churn.csv").write_bytes(written(rows()))
    with pytest.raises(MlopsNewError) as refused:
        check_request(CreateRequest(tmp_path / "new", data=tmp_path / "churn.csv", **named), tmp_path / "new")  # type: ignore[arg-type]
    assert (
        f"churn.csv has no column {list(named.values())[-1]!r}".replace("('color',)", "'color'")
        in refused.value.what
    )
    assert option in refused.value.what
    assert refused.value.do == do


@pytest.mark.parametrize(
    "table",
    [
        {"x": [1, 2], "Größe": ["a", None], "when": [1.5, 2.0]},
        {f"column {at}": [at] for at in range(300)},
        {"nested": [{"a": 1, "b": {"c": [1, 2], "d": "x"}}], "list": [[1, 2]], "last": [True]},
        {"only": pa.array([], pa.timestamp("us", "UTC"))},
    ],
    ids=["types", "many", "nested", "empty"],
)
@pytest.mark.parametrize("compression", ["snappy", "zstd"])
def test_columns_of_parquet_are_those_that_pyarrow_reads(
    table: dict[str, list[object]], compression: str, tmp_path: Path
) -> None:
    parquet.write_table(pa.table(table), tmp_path / "rows.parquet", compression=compression)
    assert header.columns(tmp_path / "rows.parquet") == list(table)


def test_a_damaged_footer_is_left_to_the_inference(tmp_path: Path) -> None:
    file = tmp_path / "rows.parquet"
    parquet.write_table(pa.table({"x": [1, 2], "y": ["a", "b"]}), file)
    whole = file.read_bytes()
    footer = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    for at in range(footer, len(whole)):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])
        found = header.columns(file)
        assert found is None or all(isinstance(name, str) for name in found)
    file.write_bytes(whole[: len(whole) // 2])
    assert header.columns(file) is None
