"""The names of the columns of a Parquet file, from its footer: Thrift's compact protocol, as far as the schema goes.

https://parquet.apache.org/docs/file-format/metadata/ has the structure; a test compares this with pyarrow.
"""

import struct
from io import BytesIO
from pathlib import Path

MAGIC = b"PAR1"
LARGEST_FOOTER = 1 << 26  # bytes; a file that says more is not read
DEEPEST = 32  # levels of a structure
LONGEST = 70  # bits of a number
SCHEMA, NAME, CHILDREN = 2, 4, 5  # numbers of fields in FileMetaData and SchemaElement
TRUE, FALSE, BYTE, DOUBLE, BINARY, LIST, SET, STRUCT = 1, 2, 3, 7, 8, 9, 10, 12
NUMBERS = (4, 5, 6)  # of 16, 32 and 64 bits, all written as varints


def columns(data: Path) -> list[str]:
    """The names of the top-level columns. Raises ValueError for a file that is not Parquet."""
    with data.open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(max(size - 8, 0))
        length, magic = struct.unpack("<I4s", stream.read(8).rjust(8, b"\0"))
        if magic != MAGIC or not 0 < length <= min(size - 8, LARGEST_FOOTER):
            raise ValueError(f"{data.name} is not Parquet")
        stream.seek(size - 8 - length)
        footer = BytesIO(stream.read(length))
    found = _struct(footer, until=SCHEMA).get(SCHEMA)
    elements = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    names, at = [], 1  # the first element is the root
    while at < len(elements):
        name = elements[at].get(NAME)
        names.append(name.decode("utf-8") if isinstance(name, bytes) else "")
        at = _behind(elements, at)
    if not names or not all(names):
        raise ValueError(f"{data.name} has no schema, or a column without a name")
    return names


def _behind(elements: list[dict[int, object]], at: int) -> int:
    """The position behind an element and everything inside it."""
    waiting = 1
    while waiting and at < len(elements):
        inside = elements[at].get(CHILDREN, 0)
        waiting += (inside if isinstance(inside, int) and inside > 0 else 0) - 1
        at += 1
    return at


def _struct(stream: BytesIO, depth: int = 0, until: int = 0) -> dict[int, object]:
    """The fields of a structure by number; with `until`, up to that one."""
    fields: dict[int, object] = {}
    number = 0
    while (head := _byte(stream)) != 0:
        number = number + (head >> 4) if head >> 4 else _zigzag(stream)
        kind = head & 15
        fields[number] = kind == TRUE if kind in (TRUE, FALSE) else _value(stream, kind, depth)
        if number == until:
            break
    return fields


def _value(stream: BytesIO, kind: int, depth: int) -> object:
    if depth > DEEPEST:
        raise ValueError("the footer is too deep")
    if kind in NUMBERS:
        return _zigzag(stream)
    if kind in (TRUE, FALSE, BYTE):  # in a list, a truth value is a byte too
        return _byte(stream)
    if kind == DOUBLE:
        return _bytes(stream, 8)
    if kind == BINARY:
        return _bytes(stream, _varint(stream))
    if kind in (LIST, SET):
        head = _byte(stream)
        length = head >> 4 if head >> 4 < 15 else _varint(stream)
        return [_value(stream, head & 15, depth + 1) for _ in range(length)]
    if kind == STRUCT:
        return _struct(stream, depth + 1)
    raise ValueError(f"the footer has a value of the kind {kind}")


def _byte(stream: BytesIO) -> int:
    return _bytes(stream, 1)[0]


def _bytes(stream: BytesIO, length: int) -> bytes:
    found = stream.read(length)
    if len(found) < length:
        raise ValueError("the footer ends too early")
    return found


def _varint(stream: BytesIO) -> int:
    value = shift = 0
    while True:
        byte = _byte(stream)
        value |= (byte & 127) << shift
        if byte < 128:
            return value
        shift += 7
        if shift > LONGEST:
            raise ValueError("the footer has a number that is too long")


def _zigzag(stream: BytesIO) -> int:
    value = _varint(stream)
    return (value >> 1) ^ -(value & 1)
