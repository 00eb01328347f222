"""The project's own commands, as an orchestrator runs them: one run, said line by line, ended in time."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Timer

from project import KIT

HERE = next(folder for folder in Path(__file__).parents if (folder / "mlops.yaml").is_file())
ROOT = Path(os.environ.get("MLOPS_PROJECT", HERE))  # the clone that is worked in
NO = 10  # exit code of an answer that is no: data refused, gate closed
FOREIGN = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")  # of this environment, not of the project's


class CommandFailed(Exception):
    """A command that neither did its work nor said no: worth trying again."""


@dataclass(frozen=True)
class Answer:
    yes: bool
    text: str


@dataclass(frozen=True)
class Run:
    """Commands with the same id are one run in `mlops-kit runs`, also when one is tried again."""

    id: str
    trigger: str
    say: Callable[[str], None]

    def update(self, minutes: float = 10) -> None:
        """Brings the clone to the newest commit of its branch, where the branch has an origin."""
        if self._execute(["git", "rev-parse", "--abbrev-ref", "@{upstream}"], minutes)[0] == 0:
            # What the last run trained stands in its version; here it would be in the way.
            self._execute(["git", "restore", "dvc.lock"], minutes)
            code, _ = self._execute(["git", "pull", "--ff-only", "--quiet"], minutes)
            if code:
                raise CommandFailed(f"`git pull --ff-only` ended with {code}")

    def kit(self, *words: str, minutes: float = 10) -> Answer:
        """Raises CommandFailed for every end but yes and no."""
        code, text = self._execute([*KIT, *words], minutes)
        if code not in (0, NO):
            raise CommandFailed(f"`mlops-kit {words[0]}` ended with {code}")
        return Answer(code == 0, text)

    def _execute(self, command: Sequence[str], minutes: float) -> tuple[int, str]:
        """Exit code and stdout. One that is late is asked to end, and undoes what it began."""
        environment = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        environment |= {"MLOPS_RUN": self.id, "MLOPS_TRIGGER": self.trigger}
        with (
            tempfile.TemporaryFile("w+", encoding="utf-8") as out,
            subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.PIPE,
                encoding="utf-8",
            ) as process,
        ):
            late = Timer(60 * minutes, process.terminate)
            late.start()
            try:
                for line in process.stderr or ():
                    self.say(line.rstrip())
                code = process.wait()
            except BaseException:
                process.terminate()
                raise
            finally:
                late.cancel()
            out.seek(0)
            text = out.read().strip()
        if text:
            self.say(text)
        return code, text
