"""Tables that are odd and train."""

from tests.scaffold.create.tables import (
    N,
    Table,
    comma,
    counts,
    day,
    german,
    many_columns,
    regression,
    renamed,
    rows,
    with_column,
    written,
)

TRAIN = [
    Table(
        "blanks for missing numbers",
        written(with_column("total", lambda i, _: " " if i % 20 == 0 else i * 1.7)),
    ),
    Table("spaces after commas", written(rows()).replace(b",", b", ")),
    Table("a line break in a name", written(renamed("x", "x\nin mm"))),
    Table("line ends of an old Mac", written(rows(), end="\r")),
    Table(
        "shift-jis",
        written(with_column("都市", lambda i, _: ["東京", "大阪", "札幌"][i % 3]), encoding="shift_jis"),
    ),
    Table(
        "degrees in latin-1",
        written(with_column("outside", lambda i, _: f"{i % 30 / 2} °C"), encoding="latin-1"),
        says=["file: cp1252"],
    ),
    Table(
        "yes and no in capitals and not",
        written([{**r, "y": str(r["y"]).capitalize() if i % 2 else r["y"]} for i, r in enumerate(rows())]),
        says=["task: binary ('y' has 2 different values)"],
    ),
    Table(
        "one and zero with a fraction and without",
        written(
            [{**r, "y": (1, 0, "1.0", "0.0")[(r["y"] == "no") + 2 * (i % 2)]} for i, r in enumerate(rows())]
        ),
        says=["task: binary ('y' has 2 different values)"],
    ),
    Table(
        "classes that differ in capitals",
        written([{**r, "y": str(r["y"]) + ("s" if i % 2 else "S")} for i, r in enumerate(rows())]),
        task="multiclass",
        says=["'noS' and 'nos' are taken for different classes"],
    ),
    Table(
        "a column called as a part of a time",
        written(
            [
                {"when": f"2024-01-{i % 28 + 1:02}T{i % 24:02}:00:00", "when.hour": r["x"], "y": r["y"]}
                for i, r in enumerate(rows())
            ]
        ),
        says=["split: the newest rows by 'when'"],
    ),
    Table(
        "thousands with commas beside bars",
        written(
            [
                {"x": r["x"], "y": f"{int(float(str(r['x'])) * 9000) + 40_000 + i % 7 * 3000:,}"}
                for i, r in enumerate(rows())
            ],
            "|",
        ),
        task="regression",
        says=["file: separated by '|'"],
    ),
    Table(
        "thousands with commas and nothing that tells",
        written(
            [
                {"income": f"{int(float(str(r['x'])) * 9000) + 40_000:,}", "colour": r["colour"], "y": r["y"]}
                for r in rows()
            ],
            "|",
        ),
        says=["is read as ", "; if it is not, write the file with the other sign"],
    ),
    Table(
        "thousands with points in one column and decimal commas in another",
        written(
            [
                {
                    "big": german(float(i * 37 + 1000)).removesuffix(",00"),
                    "x": german(float(str(r["x"]))),
                    "y": r["y"],
                }
                for i, r in enumerate(rows())
            ],
            ";",
        ),
        says=["decimal comma"],
    ),
    Table(
        "the row names of R",
        written([{"": (i * 101) % N, **r} for i, r in enumerate(rows())]),
        says=[
            "left out: 'column_0' (every row has its own number)",
            "a column without a name is called 'column_0'",
        ],
    ),
    Table(
        "times with a zone and without",
        written(
            with_column(
                "at", lambda i, _: f"2024-01-{i % 28 + 1:02} {i % 24:02}:{i % 60:02}:00{'Z' * (i % 2)}"
            )
        ),
        says=[
            "left out: 'at' (times in no form that is known, or in several, such as '2024-01-",
            "split: a seeded draw",
        ],
    ),
    Table(
        "a category of y, n and t",
        written(with_column("grade", lambda i, _: "ynt"[i % 3])),
    ),
    Table(
        "two moments",
        written(with_column("at", lambda i, _: f"2024-0{i % 2 + 1}-01")),
        time="at",
        says=["120 of 240 rows are the test set instead of 20%, because those of one 'at' stay together"],
    ),
    Table("quoted decimal comma", written([comma(row) for row in rows()])),
    Table(
        "thousands with points",
        written(
            [
                {"Größe m²": german(9000 + 3000 * float(str(r["x"]))), "y": german(5000 + i % 7 * 40.5)}
                if i % 3
                else {"Größe m²": "€ 2.500,00", "y": german(2000 + i % 5 * 300.25)}
                for i, r in enumerate(rows())
            ],
            ";",
            "cp1252",
        ),
        task="regression",
        says=["task: regression ('y' is a number", "file: cp1252 ('Größe'", "decimal comma"],
    ),
    Table(
        "dollars and per cent",
        written(
            [
                {
                    "revenue": f"${int(50_000 + 9_000 * float(str(r['x']))):,}",
                    "margin": f"{i % 40 / 2}%",
                    "y": r["y"],
                }
                for i, r in enumerate(rows())
            ]
        ),
    ),
    Table(
        "months",
        written(with_column("Month", lambda i, _: f"{1990 + i // 12}-{i % 12 + 1:02d}")),
        says=["newest rows by 'Month'"],
    ),
    Table(
        "days as numbers",
        written(with_column("dt", lambda i, _: day(i).replace("-", ""))),
        says=["newest rows by 'dt'"],
    ),
    Table(
        "zones in words",
        written(with_column("at", lambda i, _: f"{day(i)} {i % 24:02d}:00:00 UTC")),
        says=["newest rows by 'at'"],
    ),
    Table(
        "dates of mails",
        written(
            with_column("sent", lambda i, _: f"Mon, {1 + 7 * (i % 5):02d} Jan 2024 {i % 24:02d}:00:00 GMT")
        ),
        says=["newest rows by 'sent'"],
    ),
    Table(
        "nearly times",
        written(with_column("due", lambda i, _: "not yet" if i == 30 else day(i))),
        says=["times, but for 1 values such as 'not yet'", "seeded draw"],
    ),
    Table("few different rows", written(counts()), task="regression"),
    Table(
        "a class that came last",
        written(
            [
                {"day": f"2024-{1 + i // 28:02d}-{1 + i % 28:02d}", **r, "y": "new" if i > 230 else r["y"]}
                for i, r in enumerate(rows())
            ]
        ),
        task="multiclass",
        says=["never predicted, as no row to train on has it: 'new'"],
    ),
    Table(
        "oui and non",
        written([{**r, "y": "oui" if r["y"] == "no" else "non"} for r in rows()]),
        says=["probability of 'oui'"],
    ),
    Table("plain", written(rows()), says=["probability of 'yes'", "seeded draw"]),
    Table("semicolons", written(rows(), ";")),
    Table("tabs", written(rows(), "\t"), suffix=".tsv"),
    Table("pipes", written(rows(), "|")),
    Table("decimal comma", written([comma(row) for row in rows()], ";")),
    Table("bom", written(rows(), encoding="utf-8-sig")),
    Table("utf-16", written(rows(), encoding="utf-16")),
    Table(
        "latin-1",
        written(with_column("stadt", lambda i, _: ["Köln", "Zürich", "Aßling"][i % 3]), encoding="latin-1"),
        says=["file: cp1252 ('Köln'; if it should not read so, save the file as UTF-8)"],
    ),
    Table(
        "danish",
        written(with_column("by", lambda i, _: ["Århus", "København"][i % 2]), ";", encoding="cp1252"),
        says=["file: cp1252 ('Århus'", "separated by ';'"],
    ),
    Table(
        "polish",
        written(with_column("kto", lambda i, _: ["Paweł", "Wałęsa", "Kraków"][i % 3]), encoding="cp1250"),
        says=["file: cp1250 ('Paweł'"],
    ),
    Table(
        "cyrillic", written(with_column("город", lambda i, _: ["Москва", "Казань"][i % 2]), encoding="cp1251")
    ),
    Table("crlf", written(rows(), end="\r\n")),
    Table("quoted newlines", written(with_column("note", lambda i, _: f'a{i % 3}\nb, "c"'))),
    Table("spaces and dots", written(renamed("x", "my x.value (mm)"))),
    Table("unicode names", written(renamed("x", "größe_μ😀"))),
    Table(
        "python keywords",
        written([{"class": r["x"], "lambda": r["count"], "import": r["y"]} for r in rows()]),
        target="import",
    ),
    Table(
        "yaml words",
        written([{"null": r["x"], "on": r["count"], "1": r["colour"], "yes: no": r["y"]} for r in rows()]),
        target="yes: no",
    ),
    Table("index column", written(with_column("", lambda i, _: i)), says=["(every row has its own number)"]),
    Table(
        "identifier",
        written(with_column("customerID", lambda i, _: f"C-{i:05d}")),
        says=["key: 'customerID'"],
    ),
    Table(
        "number identifier",
        written(with_column("PassengerId", lambda i, _: 1000 + i * 7)),
        says=["key: 'PassengerId'"],
    ),
    Table(
        "constant",
        written(with_column("country", lambda *_: "NL")),
        says=["left out: 'country' (it has the same value"],
    ),
    Table(
        "all null",
        written(with_column("empty", lambda *_: "")),
        says=["left out: 'empty' (it has no values)"],
    ),
    Table(
        "free text",
        written(with_column("comment", lambda i, r: f"order {i} by {r['colour']} van, thanks {i * i}")),
        says=["left out: 'comment'"],
    ),
    Table(
        "gives away",
        written(with_column("y_code", lambda _, r: 1 if r["y"] == "yes" else 0)),
        says=["left out: 'y_code' (it gives the target 'y' away)"],
    ),
    Table(
        "gives away by being there",
        written(with_column("closed_on", lambda i, r: day(i) if r["y"] == "yes" else "")),
        says=["left out: 'closed_on' (it gives the target 'y' away)"],
    ),
    Table("mixed types", written(with_column("mixed", lambda i, _: [i % 9, "unknown", 2.5][i % 3]))),
    Table(
        "nearly numbers",
        written(with_column("amount", lambda i, _: "n. a. (see mail)" if i == 17 else i * 1.37)),
        says=["numbers, but for 1 values such as 'n. a. (see mail)'"],
    ),
    Table("missing values", written(with_column("gaps", lambda i, r: ["", "NA", r["x"], r["x"]][i % 4]))),
    Table(
        "missing targets",
        written([{**r, "y": "" if i % 10 == 0 else r["y"]} for i, r in enumerate(rows())]),
        says=["24 rows have no 'y' (it is empty, NA, null or the like) and are left out"],
    ),
    Table("postal codes", written(with_column("zip", lambda i, _: f"{i % 8:05d}"))),
    Table(
        "booleans",
        written([{**r, "y": r["y"] == "yes", "member": ["Y", "N"][i % 2]} for i, r in enumerate(rows())]),
        says=["probability of True"],
    ),
    Table(
        "zero and one", written([{**r, "y": int(r["y"] == "yes")} for r in rows()]), says=["probability of 1"]
    ),
    Table("float classes", written([{**r, "y": float(r["y"] == "yes")} for r in rows()])),
    Table("dates", written(with_column("day", lambda i, _: day(i))), says=["newest rows by 'day'"]),
    Table(
        "german dates",
        written(with_column("tag", lambda i, _: f"{1 + i % 28:02d}.{1 + i // 28:02d}.2024")),
        says=["newest rows by 'tag'"],
    ),
    Table(
        "us dates",
        written(with_column("when", lambda i, _: f"{1 + i % 12}/{1 + i % 28}/2024 {1 + i % 12}:05 PM")),
        says=["newest rows by 'when'"],
    ),
    Table(
        "ambiguous dates",
        written(with_column("when", lambda i, _: f"{1 + i % 12:02d}/{1 + i % 11:02d}/2024")),
        says=["day and month could be the other way round"],
    ),
    Table(
        "time zones",
        written(with_column("at", lambda i, _: f"{day(i)}T{i % 24:02d}:15:00+0{i % 3}:00")),
        says=["newest rows by 'at'"],
    ),
    Table(
        "utc",
        written(with_column("at", lambda i, _: f"{day(i)}T{i % 24:02d}:15:00Z")),
        says=["newest rows by 'at'"],
    ),
    Table(
        "birth dates",
        written(with_column("date_of_birth", lambda i, _: f"19{40 + i % 60}-05-{1 + i % 28:02d}")),
        says=["seeded draw"],
    ),
    Table(
        "asked for time",
        written(with_column("day", lambda i, _: day(i))),
        time="day",
        says=["newest rows by 'day'"],
    ),
    Table(
        "class with one member",
        written([{**r, "y": "rare" if i == 100 else r["y"]} for i, r in enumerate(rows())]),
        task="multiclass",
    ),
    Table(
        "three classes",
        written(
            [
                {**r, "y": r["colour"], "hint": f"{r['colour']}-{i % 2}" if i % 5 else "other"}
                for i, r in enumerate(rows())
            ]
        ),
        target="y",
        task="multiclass",
    ),
    Table("regression", written(regression()), task="regression", says=["task: regression"]),
    Table("regression with comma", written([comma(r) for r in regression()], ";"), task="regression"),
    Table("500 columns", written(many_columns(500))),
    Table("repeated rows", written(rows()[:60] * 4)),
    Table(
        "white space",
        written([{k: f" {v} " for k, v in r.items() if k != "y"} | {"y": r["y"]} for r in rows()]),
    ),
]
