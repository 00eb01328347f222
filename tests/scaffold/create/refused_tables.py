"""Tables that are refused, in words that help."""

from tests.scaffold.create.tables import N, Table, renamed, rows, with_column, written

REFUSED = [
    Table(
        "lines above the header",
        b"# exported by ACME\n" + written(rows()),
        refused=True,
        says=["its first line ('# exported by ACME') is no header"],
    ),
    Table(
        "names of rows without a name",
        written(rows()).replace(b"x,", b"", 1),
        refused=True,
        says=["its header has 3 names ('colour,count,y') and its rows have 4 values"],
    ),
    Table(
        "no header",
        "".join(f"{i},{i % 7}.5,{i % 2}\n" for i in range(N)).encode(),
        refused=True,
        says=["its first line ('0,0.5,0') holds numbers, not names"],
    ),
    Table(
        "a lone quote",
        written(rows()).replace(b"red", b'"red', 1),
        refused=True,
        says=["cannot be read"],
    ),
    Table(
        "a long lone quote",
        written(rows() * 80).replace(b"red", b'"red', 1),
        refused=True,
        says=["cannot be read"],
    ),
    Table(
        "a name of ours",
        written(renamed("x", "__row__")),
        refused=True,
        says=["a column is called '__row__', which is taken"],
    ),
    Table(
        "a name that an empty one gets",
        written(renamed("x", "column_1")).replace(b"colour", b"", 1),
        refused=True,
        says=["more than one column is called 'column_1'"],
    ),
    Table(
        "infinite values of the target",
        written([{**r, "y": "inf" if i == 3 else float(str(r["x"])) * 2} for i, r in enumerate(rows())]),
        refused=True,
        says=["column 'y' is not number, and finite, in 1 rows (row 5: 'inf')"],
    ),
    Table("empty lines", b"\n \n" * 50, refused=True, says=["it holds nothing but empty lines"]),
    Table("a name without end", written(renamed("x", "x" * 2000)), refused=True, says=["2000 letters"]),
    Table(
        "one column",
        written([{"y": r["y"]} for r in rows()]),
        refused=True,
        says=["No column is left to learn 'y' from"],
    ),
    Table(
        "only identifiers",
        written([{"id": i, "y": r["y"]} for i, r in enumerate(rows())]),
        refused=True,
        says=["No column is left", "'id'"],
    ),
    Table(
        "constant target",
        written([{**r, "y": "yes"} for r in rows()]),
        refused=True,
        says=["The target 'y' has the same value in every row"],
    ),
    Table(
        "newest rows of one class",
        written(
            [
                {**r, "at": f"2026-01-{1 + i // 12:02}", "y": "no" if i > 160 else r["y"]}
                for i, r in enumerate(rows())
            ]
        ),
        refused=True,
        says=["every row to test on has the same 'y': nothing to judge by"],
    ),
    Table(
        "two of one class",
        written([{**r, "y": "yes" if i in (5, 6) else "no"} for i, r in enumerate(rows())]),
        refused=True,
        says=["has the same 'y'"],
    ),
    Table(
        "empty target",
        written([{**r, "y": ""} for r in rows()]),
        refused=True,
        says=["The target 'y' has no values"],
    ),
    Table(
        "text target",
        written([{**r, "y": f"text {i} and more"} for i, r in enumerate(rows())]),
        refused=True,
        says=["target 'y' has 240 different values"],
    ),
    Table("unknown target", written(rows()), target="Y2", refused=True, says=["no column 'Y2'", "'y'"]),
    Table("unknown time", written(rows()), time="date", refused=True, says=["no column 'date' (--time)"]),
    Table(
        "time that is none",
        written(rows()),
        time="colour",
        refused=True,
        says=["'colour' does not hold times"],
    ),
    Table("few rows", written(rows(8)), refused=True, says=["8 rows"]),
    Table("header only", written(rows(1)).splitlines()[0] + b"\n", refused=True, says=["0 rows"]),
    Table(
        "duplicate names",
        written(rows()).replace(b"colour", b"x", 1),
        refused=True,
        says=["more than one column is called 'x'"],
    ),
    Table("ragged", written(rows()) + b"1,2\n", refused=True, says=["cannot be read"]),
    Table(
        "two encodings",
        written(with_column("street", lambda i, _: ["Straße", "Allée"][i % 2])).replace(
            "Allée".encode(), b"All\xe9e"
        ),
        refused=True,
        says=["mixes two encodings", "'Straße'", "'Allée'"],
    ),
    Table("binary junk", b"\x00\x01\x02PK" * 400, refused=True, says=["is not text"]),
    Table(
        "broken parquet", b"PAR1 and then nothing", suffix=".parquet", refused=True, says=["cannot be read"]
    ),
    Table(
        "infinite",
        written(with_column("ratio", lambda i, _: "inf" if i == 3 else i * 0.37)),
        refused=True,
        says=["'ratio'", "row 5"],
    ),
]
