"""Questions on a terminal: four, then what was inferred as a table, then "Change anything?" before anything is written.

They are asked with questionary, which Copier asks its own questions with. A wrong answer is asked again, and an answer
that the data refuses can be changed without giving the others again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import questionary
from prompt_toolkit.shortcuts import CompleteStyle
from questionary import Choice

from mlops_new.base import names
from mlops_new.base.errors import MlopsNewError
from mlops_new.base.progress import Progress
from mlops_new.create import create, header, plan_text
from mlops_new.create.request import KNOWN, SAMPLES, CreateRequest, check_data, check_folder, check_remote

MAKE, STOP = "no, make it", "stop, write nothing"
TASKS = ("binary", "multiclass", "regression")
SAMPLE_SAYS = {
    "synthetic": "synthetic: rows made from the schema; no row of your data gets into Git",
    "rows": "rows: up to 1,000 rows of your data get into Git",
    "none": "none: no rows get into Git; CI without the data trains nothing",
}


@dataclass
class Answers:
    """What was answered, and the options that were given on the command line."""

    name: Path
    options: dict[str, Any]
    train: bool

    @property
    def request(self) -> CreateRequest:
        return CreateRequest(path=self.name, **self.options)


def ask(options: dict[str, Any], train: bool) -> Answers:
    """Ask for name, data, target and time column. What an option says already is not asked."""
    answers = Answers(_name("my-project"), options, train)
    if options["data"] is None:
        options["data"] = _data()
    if options["data"]:
        if not options["target"]:
            options["target"] = _column(options["data"], "Column to predict")
        if not options["time"]:
            options["time"] = _time(options)
    return answers


def confirm(answers: Answers, progress: Progress) -> None:
    """Show what would be made, and let the person change it until it is right. Raises click.Abort."""
    stale = True
    while True:
        if stale:
            stale = not _show(answers, progress)
        choice = _change(answers, possible=not stale)
        if choice == STOP:
            raise click.Abort
        if choice == MAKE:
            return
        stale = _ask_again(answers, choice) or stale


def _show(answers: Answers, progress: Progress) -> bool:
    """Print the plan; if it is refused, why, and return False."""
    try:
        plan = create.plan(answers.request, progress)
    except MlopsNewError as error:
        click.echo(f"\n{error.what}\n{error.do}\n", err=True)
        return False
    click.echo(f"\n{plan_text.summary(plan, answers.request)}\n")
    return True


def _change(answers: Answers, possible: bool) -> str:
    own = ["target", "time", "task", "slices", "sample"] if answers.options["data"] else []
    now = "yes" if answers.train else "no"
    choices = [Choice(MAKE)] if possible else []
    choices += [Choice(one) for one in ("name", "data", *own, "remote")]
    choices += [Choice(f"train now ({now})", value="train"), Choice(STOP)]
    return str(_asked(questionary.select("Change anything?", choices=choices)))


def _ask_again(answers: Answers, what: str) -> bool:
    """Ask for one thing. Returns True if the plan has to be made again."""
    options = answers.options
    before = (answers.name, dict(options))
    if what == "train":
        answers.train = not answers.train
    elif what == "name":
        answers.name = _name(str(answers.name))
    elif what == "data":
        options["data"] = _data()
        _forget_columns(options)
    elif what == "target":
        options["target"] = _column(options["data"], "Column to predict")
    elif what == "time":
        options["time"] = _time(options)
    elif what == "task":
        choices = [Choice("as the values of the target say", value=""), *map(Choice, TASKS)]
        options["task"] = _asked(questionary.select("Task", choices=choices)) or None
    elif what == "slices":
        options["slices"] = tuple(_slices(options))
    elif what == "sample":
        choices = [Choice(SAMPLE_SAYS[kind], value=kind) for kind in SAMPLES]
        options["sample"] = _asked(questionary.select("What data/sample.csv has", choices=choices))
    elif what == "remote":
        question = "DVC remote: s3://, gs://, azure://, ssh:// or a folder (empty: none)"
        options["remote"] = _asked(questionary.text(question, options["remote"], validate=_why_no_remote))
    return before != (answers.name, options)


def _forget_columns(options: dict[str, Any]) -> None:
    """After another file: its own target is asked, and what is about columns that it lacks is dropped."""
    if options["data"] is None:
        options |= {"target": None, "time": None, "task": None, "slices": (), "sample": None}
        return
    known = header.columns(options["data"])
    if known is None or options["target"] not in known:
        options["target"] = _column(options["data"], "Column to predict")
    if known is not None:
        options["time"] = options["time"] if options["time"] in known else None
        options["slices"] = tuple(one for one in options["slices"] if one in known)


def _name(default: str) -> Path:
    return Path(_asked(questionary.text("Name (a path)", default, validate=_why_no_name))).expanduser()


def _why_no_name(answer: str) -> bool | str:
    path = Path(answer).expanduser()
    if not names.NAME.fullmatch(path.resolve().name):
        suggestion = names.suggest_name(path.resolve().name)
        return f"A name has {names.RULE}{f'; try {suggestion}' if suggestion else ''}"
    return _refusal(lambda: check_folder(path, path.resolve()))


def _data() -> Path | None:
    question = questionary.path(
        "Data file, CSV or Parquet (empty: the embedded flight data)",
        validate=_why_no_data,
        complete_style=CompleteStyle.READLINE_LIKE,  # Tab completes as in a shell
        complete_while_typing=False,  # a menu that is open would take the first Enter
        file_filter=lambda name: Path(name).is_dir() or Path(name).suffix.lower() in KNOWN,
    )
    answer = _asked(question)
    return Path(answer).expanduser() if answer else None


def _why_no_data(answer: str) -> bool | str:
    return not answer or _refusal(lambda: check_data(Path(answer).expanduser(), "any"))


def _why_no_remote(answer: str) -> bool | str:
    return _refusal(lambda: check_remote(answer))


def _refusal(check: Any) -> bool | str:
    try:
        check()
    except MlopsNewError as error:
        return f"{error.what} {error.do}".strip()
    return True


def _column(data: Path, question: str) -> str:
    known = header.columns(data)
    if known is None:  # the header cannot be read; the inference will say why
        return str(_asked(questionary.text(question, validate=bool)))
    return str(_asked(_select(question, [Choice(name) for name in known])))


def _time(options: dict[str, Any]) -> str | None:
    question = "Time column to split by"
    known = header.columns(options["data"])
    if known is None:
        return str(_asked(questionary.text(f"{question} (empty: find one)"))) or None
    others = [Choice(name) for name in known if name != options["target"]]
    return _asked(_select(question, [Choice("find one", value=""), *others])) or None


def _slices(options: dict[str, Any]) -> Sequence[str]:
    question = "Columns whose values are judged one by one"
    known = header.columns(options["data"])
    if known is None:
        answer = _asked(questionary.text(f"{question} (separated by commas)"))
        return [name.strip() for name in answer.split(",") if name.strip()]
    others = [Choice(name, checked=name in options["slices"]) for name in known if name != options["target"]]
    return list(_asked(questionary.checkbox(question, others)))


def _select(question: str, choices: list[Choice]) -> questionary.Question:
    """A list in which typed letters look for a name."""
    return questionary.select(question, choices=choices, use_search_filter=True, use_jk_keys=False)


def _asked(question: questionary.Question) -> Any:
    """The answer. Raises click.Abort on Ctrl-C and at the end of the input."""
    try:
        return question.unsafe_ask()
    except (KeyboardInterrupt, EOFError) as stopped:
        raise click.Abort from stopped
