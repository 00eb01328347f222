"""How a CSV file is written: encoding, separator, decimal sign, newlines inside quotes."""

import codecs
import csv
import io
import re
from collections import Counter
from pathlib import Path
from typing import Any

SEPARATORS = ",;\t|"
NUMBER = re.compile(r"[+-]?\d*[.,]?\d+")
LOOKED_AT = 1 << 18  # bytes, to tell encoding and separator
COMMA_NUMBER = re.compile(r"[+-]?(\d{1,3}([.\s]\d{3})+|\d+),\d+")
POINT_NUMBER = re.compile(r"[+-]?(\d{1,3}([,']\d{3})+|\d+)\.\d+")
# Of each sign: what could be either, as 1,234, and what cannot be a fraction, as 1,234,567.
GROUPED = {sign: re.compile(rf"[+-]?[1-9]\d{{0,2}}[{sign}]\d{{3}}") for sign in ",."}
MILLIONS = {sign: re.compile(rf"[+-]?[1-9]\d{{0,2}}([{sign}]\d{{3}}){{2,}}") for sign in ",."}
# What tells an encoding are words. Signs of the west alone (Euro, pound, degrees, squares) are too little.
WORDS = re.compile(rb"[A-Za-z]*[\x80-\xff][A-Za-z\x80-\xff]*(?: [A-Za-z\x80-\xff]+)*")
WESTERN = re.compile("[A-Za-zÀ-ÖØ-Üß-ïñ-öø-üÿŒœŠšŽž ]*")
SIGNS = re.compile(
    rb"[\x80\xa3](?=\s?\d)|(?<=\d)\s?[\x80\xa3\xb0]|\xb0(?=[CF]\b)|(?<=m)[\xb2\xb3](?!\w)|\xb5(?=\w\b)"
)
BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def dialect(path: Path) -> dict[str, Any]:
    """What differs from UTF-8, comma and decimal point, as data/schema.yaml's `file` has it.

    Raises ValueError for a file that is not text.
    """
    content = path.read_bytes()
    differences: dict[str, Any] = {"encoding": encoding(content)}
    text = content[:LOOKED_AT].decode(differences["encoding"], errors="replace")
    if "\0" in text:
        raise ValueError(f"{path.name} is not text: it has zero bytes")
    if not text.strip():
        raise ValueError("it holds nothing but empty lines")
    differences["separator"] = separator(text)
    expect_header(text, differences["separator"])
    differences["decimal"] = decimal(text, differences["separator"])
    differences["newlines"] = any(line.count(b'"') % 2 for line in content.splitlines())
    usual = {"encoding": "utf-8", "separator": ",", "decimal": ".", "newlines": False}
    return {key: value for key, value in differences.items() if value != usual[key]}


def in_words(file: dict[str, Any], path: Path) -> list[str]:
    """What is unusual about the file, for the person to agree with: a guess shows itself in letters."""
    apart = {"\t": "tabs"}.get(file.get("separator", ","), repr(file.get("separator")))
    notes = [f"separated by {apart}"] if "separator" in file else []
    notes += ["decimal comma"] if "decimal" in file else []
    if "encoding" in file and file["encoding"] not in BOMS.values():
        content = path.read_bytes().decode(file["encoding"])
        word = re.search(r"\w*[^\W\d_a-zA-Z]\w*", content)
        example = f" ({word[0]!r}; if it should not read so, save the file as UTF-8)" if word else ""
        notes.insert(0, file["encoding"] + example)
    return [f"file: {', '.join(notes)}"] if notes else []


def unnamed(path: Path, file: dict[str, Any]) -> list[str]:
    """Columns whose name is empty, and what they are called."""
    with path.open(encoding=file.get("encoding", "utf-8"), newline="") as stream:
        header = next(csv.reader(stream, delimiter=file.get("separator", ",")))
    return [
        f"a column without a name is called 'column_{at}'"
        for at, name in enumerate(header)
        if not name.strip()
    ]


def encoding(content: bytes) -> str:
    """Raises ValueError for a mixture."""
    for bom, name in BOMS.items():
        if content.startswith(bom):
            return name
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        words = set(WORDS.findall(SIGNS.sub(b"", content)))
        _expect_one_encoding(words)
        return _guessed(words)
    return "utf-8"


def _expect_one_encoding(words: set[bytes]) -> None:
    """Raises ValueError where some words are UTF-8, and all others read well as the west wrote before it."""
    unicode = {word: word.decode("utf-8") for word in words if _is_utf8(word)}
    others = [word.decode("cp1252", errors="replace") for word in words if word not in unicode]
    if unicode and others and all(WESTERN.fullmatch(word) for word in others):
        shown = f"{min(unicode.values())!r} is UTF-8 and {min(others)!r} is not"
        raise ValueError(f"it mixes two encodings: {shown}; save all of it as UTF-8")


def _is_utf8(word: bytes) -> bool:
    try:
        word.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _rows(text: str, separator: str) -> list[list[str]]:
    """Its rows, without empty ones. Fields may be as long as they like: a lone quote swallows the rest."""
    csv.field_size_limit(LOOKED_AT)
    return [row for row in csv.reader(io.StringIO(text, newline=None), delimiter=separator) if row]


def _guessed(words: set[bytes]) -> str:
    """The encoding in which these words read best; the west's where that is as good as any."""
    import charset_normalizer  # here, because the generator, which has it not, reads headers with this module

    guesses = charset_normalizer.from_bytes(b" ".join(sorted(words))[:LOOKED_AT])
    likely = [guess.could_be_from_charset for guess in guesses if guess.chaos <= guesses[0].chaos]
    western = WESTERN.fullmatch(b"".join(words).decode("cp1252", errors="replace"))
    if not words or not likely or (western and any("cp1252" in names for names in likely)):
        return "cp1252"
    return str(likely[0][0])


def separator(text: str) -> str:
    """The candidate that splits most lines into the same number of fields, and into the most."""

    def order(candidate: str) -> tuple[float, int]:
        rows = [len(row) for row in _rows(text, candidate)[:200]]
        fields, lines = Counter(rows).most_common(1)[0]
        return (lines / len(rows) if fields > 1 else 0.0, fields)

    return max(SEPARATORS, key=order)


def expect_header(text: str, separator: str) -> None:
    """Raises ValueError where something stands above the header, or where there is none."""
    lines = _rows(text, separator)[:200]
    fields, _ = Counter(map(len, lines)).most_common(1)[0]
    named, header = len(lines[0]), separator.join(lines[0][:5])
    if 1 < named == fields - 1 and not header.startswith("sep="):
        raise ValueError(f"its header has {named} names ({header!r}) and its rows have {fields} values")
    if named < fields:
        raise ValueError(f"its first line ({header!r}) is no header; remove what stands above the names")
    if fields > 1 and all(NUMBER.fullmatch(name.strip()) for name in lines[0]):
        raise ValueError(f"its first line ({header!r}) holds numbers, not names")


def decimal(text: str, separator: str) -> str:
    """A comma where more fields can only be numbers with a comma than can only be some with a point.

    Where none tells, the comma is a decimal one in files whose fields it cannot separate.
    """
    fields = _fields(text, separator)
    commas, points = _sure(fields, ","), _sure(fields, ".")
    if commas == points:
        return "," if separator == ";" and len(_unclear(fields, ",")) > len(_unclear(fields, ".")) else "."
    return "," if commas > points else "."


def unclear(path: Path, file: dict[str, Any]) -> list[str]:
    """A number that could be another one, where no number tells which: how it is read."""
    separator = file.get("separator", ",")
    text = path.read_bytes()[:LOOKED_AT].decode(file.get("encoding", "utf-8"), errors="replace")
    fields, sign = _fields(text, separator), file.get("decimal", ".")
    either = sorted(_unclear(fields, ",")) or (sorted(_unclear(fields, ".")) if separator == ";" else [])
    if not either or _sure(fields, ",") or _sure(fields, "."):
        return []
    grouped = either[0] if sign not in either[0] else ""
    read = re.sub(r"\D", "", grouped) if grouped else either[0].replace(sign, ".")
    return [f"{either[0]!r} is read as {read}; if it is not, write the file with the other sign"]


def _fields(text: str, separator: str) -> set[str]:
    return {field.strip() for row in _rows(text, separator)[1:] for field in row}


def _unclear(fields: set[str], sign: str) -> set[str]:
    return {field for field in fields if GROUPED[sign].fullmatch(field)}


def _sure(fields: set[str], sign: str) -> int:
    """Fields that are numbers only if this is the decimal sign."""
    number, other = (COMMA_NUMBER, ".") if sign == "," else (POINT_NUMBER, ",")
    fractions = sum(bool(number.fullmatch(field)) for field in fields - _unclear(fields, sign))
    return fractions + sum(bool(MILLIONS[other].fullmatch(field)) for field in fields)
