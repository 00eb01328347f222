"""The processes of a server: how they start, what they say, and how they end."""

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from mlops_kit.base.progress import Say

# Linux ends the process when the server dies, even by kill -9. Elsewhere it would live on. The launcher starts its own
# session, because Ctrl-C must reach the server alone: it lets requests end first.
LAUNCHER = """
import os, signal, sys
parent, command = int(sys.argv[1]), sys.argv[2:]
if sys.platform == "linux":
    import ctypes
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
try:
    os.execvp(command[0], command)
except OSError as error:
    sys.exit(f"{command[0]} cannot be started: {error.strerror}.")
"""
LINE_AT_MOST = 2000  # characters, of what is shown


@dataclass(frozen=True)
class Program:
    """What is run, and where."""

    name: str  # for people: replica 1, proxy 2
    folder: Path
    environment: Mapping[str, str]


@dataclass
class Child:
    """A process that runs, and its last words on stderr."""

    process: asyncio.subprocess.Process
    readers: list["asyncio.Task[None]"]
    said: deque[str] = field(default_factory=lambda: deque(maxlen=20))

    @classmethod
    async def start(cls, program: Program, command: list[str], say: Say) -> "Child":
        pipe = asyncio.subprocess.PIPE
        launch = [sys.executable, "-I", "-S", "-c", LAUNCHER, str(os.getpid()), *command]
        process = await asyncio.create_subprocess_exec(
            *launch,
            cwd=program.folder,
            env=dict(program.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            start_new_session=True,
        )
        child = cls(process, [])
        assert process.stdout and process.stderr
        for stream, keep in ((process.stdout, False), (process.stderr, True)):
            child.readers.append(asyncio.create_task(child._read(stream, program.name, say, keep)))
        return child

    async def _read(self, stream: asyncio.StreamReader, name: str, say: Say, keep: bool) -> None:
        rest = b""
        while chunk := await stream.read(65_536):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._heard(line, name, say, keep)
            rest = rest[:LINE_AT_MOST]
        if rest:
            self._heard(rest, name, say, keep)

    def _heard(self, line: bytes, name: str, say: Say, keep: bool) -> None:
        text = line.decode(errors="replace").rstrip()[:LINE_AT_MOST]
        if keep and text:
            self.said.append(text)
        say(f"{name}: {text}")

    async def ended(self) -> int:
        """Wait for the end, and for all that it said."""
        code = await self.process.wait()
        await asyncio.wait(self.readers, timeout=1)  # what it started may hold the pipes open
        self.kill()
        return code

    async def end(self, within: float) -> None:
        """Ask it to end; kill it when that takes too long."""
        with suppress(ProcessLookupError):
            self.process.terminate()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.ended(), within)
        self.kill()
        await self.process.wait()

    def kill(self) -> None:
        """Kill it with all that it started, which bears its number as a group."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
