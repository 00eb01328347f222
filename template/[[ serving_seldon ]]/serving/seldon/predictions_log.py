"""Writes the predictions log (docs/reference/predictions-log.md of mlops-new) in a thread of its own.

A full disk or a slow one costs no answer: lines that cannot be written are counted and said on stderr.
"""

import os
import shutil
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

WAITING_AT_MOST = 100_000  # lines in memory
EVERY = 0.2  # seconds between two writes
FACTS_EVERY = 5.0  # seconds between two looks at memory and disk


class ShortWriteError(OSError):
    """A part of the text was written, with so many whole lines."""

    def __init__(self, written: int) -> None:
        super().__init__("the disk is full")
        self.written = written


class PredictionsLog:
    """Appends to FOLDER/YYYY-MM-DD.jsonl, several processes at the same time, and deletes files that are too old."""

    def __init__(self, folder: Path, masked: Iterable[str], keep_days: int) -> None:
        self.folder, self.masked, self.keep_days = folder, list(masked), keep_days
        self.dropped, self.mend = 0, b""
        self.waiting: deque[dict[str, Any]] = deque()
        self.process = f"{socket.gethostname()}-{os.getpid()}"
        self.facts: dict[str, Any] = {}
        self.next_facts, self.complained, self.today = 0.0, 0.0, ""
        self.stopping, self.lock = threading.Event(), threading.Lock()
        self.thread = threading.Thread(target=self._run, name="predictions-log", daemon=True)
        self.thread.start()

    def add(self, lines: Iterable[dict[str, Any]]) -> None:
        """Queues lines without `process`, `masked` and the facts about memory and disk, which are added here."""
        if len(self.waiting) >= WAITING_AT_MOST:
            self.dropped += sum(1 for _ in lines)
            return
        self.waiting.extend(lines)

    def close(self) -> None:
        """Writes what is waiting."""
        self.stopping.set()
        self.thread.join(timeout=10)

    def _run(self) -> None:
        while not self.stopping.wait(EVERY):
            self.write()
        self.write()

    def write(self) -> None:
        """Writes what is waiting; the thread does it several times a second."""
        with self.lock:
            taken = [self.waiting.popleft() for _ in range(len(self.waiting))]
            if taken:
                self._write(taken)

    def _write(self, taken: list[dict[str, Any]]) -> None:
        try:
            self._look()
            common = {"masked": self.masked, "process": self.process} | self.facts
            text = b"".join(orjson.dumps(common | line) + b"\n" for line in taken)
            self._append(self.mend + text)
            self.mend = b""
        except (OSError, TypeError) as error:
            self.dropped += len(taken) - (
                error.written if isinstance(error, ShortWriteError) else 0
            )
            if time.monotonic() > self.complained:
                self.complained = time.monotonic() + 60
                print(
                    f"The predictions log lost {self.dropped} lines so far: {error}",
                    file=sys.stderr,
                )

    def _append(self, text: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        today = f"{datetime.now(UTC):%Y-%m-%d}"
        if today != self.today:
            self._delete_old()
            self.today = today
        # one call, so that lines of several processes do not mix
        file = os.open(
            self.folder / f"{today}.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644
        )
        try:
            written = os.write(file, text)
        finally:
            os.close(file)
        if written < len(text):
            self.mend = b"\n"  # ends the torn line, so that the next one is whole
            raise ShortWriteError(text[:written].count(b"\n"))

    def _delete_old(self) -> None:
        oldest = f"{datetime.now(UTC) - timedelta(days=self.keep_days):%Y-%m-%d}"
        for file in self.folder.glob("????-??-??.jsonl"):
            if file.stem < oldest:
                file.unlink(missing_ok=True)

    def _look(self) -> None:
        """Memory of this process and free space on the log's disk."""
        if time.monotonic() < self.next_facts:
            return
        self.next_facts = time.monotonic() + FACTS_EVERY
        statm = Path("/proc/self/statm")
        if statm.exists():
            pages = int(statm.read_text().split()[1])
            self.facts["memory_mb"] = round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)
        if self.folder.exists():
            usage = shutil.disk_usage(self.folder)
            self.facts["disk_free_share"] = round(usage.free / usage.total, 4)
