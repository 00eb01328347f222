"""Brings alarms into line with a check: one issue a kind, raised, updated or closed; and the webhook.

What the check could not judge stays as it is: a window that is too small ends no alarm.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from mlops_kit.alerts import webhook as webhooks
from mlops_kit.alerts.chat import TOLD, Chat, in_a_line
from mlops_kit.alerts.kinds import Kind
from mlops_kit.alerts.outcome import Outcome
from mlops_kit.alerts.webhook import Message
from mlops_kit.base import clock, credentials, github_env
from mlops_kit.base.errors import KitError
from mlops_kit.base.markdown import code, plain
from mlops_kit.forge import alarms, github
from mlops_kit.forge.alarms import Alarm
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.runs.events import Journal

# The title of the issue, and the heading of the runbook that says what to do.
TITLES: dict[Kind, tuple[str, str]] = {
    "data-drift": ("The inputs have drifted", "the-inputs-have-drifted"),
    "schema": ("The inputs are not the same columns any more", "the-inputs-have-drifted"),
    "training-data": ("The training data has drifted", "the-inputs-have-drifted"),
    "concept-drift": ("The model is less right than it was", "the-model-is-less-right-than-it-was"),
    "predictions-moved": ("The predictions have moved", "the-model-is-less-right-than-it-was"),
    "no-labels": ("No labels come any more", "the-model-is-less-right-than-it-was"),
    "errors": ("Predictions fail", "predictions-fail-or-are-slow"),
    "latency": ("Predictions are slow", "predictions-fail-or-are-slow"),
    "memory": ("Memory grows", "predictions-fail-or-are-slow"),
    "disk": ("The disk fills up", "predictions-fail-or-are-slow"),
    "silence": ("Predictions have stopped", "predictions-fail-or-are-slow"),
    "clock": ("Predictions have times that cannot be", "predictions-fail-or-are-slow"),
    "training-failed": ("main does not train", "train-is-red"),
    "training-missing": ("A merge was not trained", "train-is-red"),
    "gate-closed": ("The gates are closed on main", "train-is-red"),
    "model-old": ("The model is old", "the-model-is-old"),
    "monitor-dead": ("The monitor has stopped", "schedule-has-not-run-since-yesterday"),
}
EACH = "This issue is brought up to date by each check, and closed by the first that could see it and finds nothing."
ONCE = (
    "Close this issue when you have looked; the next version whose training data has not moved closes it too."
)
CHANCE = "At most one check in 100 says so by chance, on data like the reference."


@dataclass(frozen=True)
class Told:
    kind: str
    done: str  # created, updated, reopened, unchanged, closed; or "not told"
    where: str = ""
    webhook: str = ""  # told, or why not; empty where there was nothing to tell it
    problem: str = ""

    @property
    def is_news(self) -> bool:
        return self.done != "unchanged" or bool(self.webhook)


def bring(
    repository: Repository,
    contract: Contract,
    outcome: Outcome,
    journal: Journal,
    labels: tuple[str, ...] = (),
    say: Callable[[str], None] = lambda _: None,
) -> list[Told]:
    """Raises what was found and closes what is over. What could not be told is in the answer, not lost."""
    told, chat = [], Chat.of(repository, contract)
    for kind in outcome.kinds:
        say(f"raise {kind}")
        told.append(_raised(repository, contract, outcome, kind, labels, chat))
    for kind in [*outcome.over(), *_alive(outcome)]:
        told += _over(repository, kind, outcome, chat)
    for one in told:
        if one.is_news:
            facts = {"where": one.where or None, "error": one.problem or None, "webhook": one.webhook or None}
            journal.emit(f"alarm:{one.kind}", one.done, **facts)
    return told


def _alive(outcome: Outcome) -> list[Kind]:
    """A check that ran is the monitor's pulse."""
    return ["monitor-dead"] if "monitor-dead" not in outcome.kinds else []


def plan(outcome: Outcome) -> list[Told]:
    """What would be told; nobody is asked."""
    raised = [Told(kind, "would be raised or updated") for kind in outcome.kinds]
    return raised + [Told(kind, "would be closed, where it is open") for kind in outcome.over()]


def _raised(
    repository: Repository,
    contract: Contract,
    outcome: Outcome,
    kind: Kind,
    labels: tuple[str, ...],
    chat: Chat,
) -> Told:
    title, words = TITLES[kind][0], "\n".join(outcome.of(kind))
    if not credentials.token() and chat.form:
        heard = chat.tell("raised", kind, title, words)
        done = {TOLD: "created", "": "unchanged"}.get(heard, "not told")
        return Told(kind, done, "", heard, _unheard(heard))
    try:
        placed = github.connect(repository).raise_alarm(
            github.marker("alarm", kind),
            _title(outcome, kind),
            text(repository, contract, outcome, kind),
            (github.LABEL, *labels),
            timedelta(hours=contract.alerts.cooldown_hours),
        )
    except KitError as error:
        heard = chat.tell("raised", kind, title, words)
        return Told(kind, "created" if heard == TOLD else "not told", "", heard, in_a_line(error))
    heard = chat.tell("raised", kind, title, words, placed.url)
    return Told(kind, placed.done, placed.url, heard, _unheard(heard))


def _unheard(heard: str) -> str:
    return "" if heard in ("", TOLD) else heard


def _over(repository: Repository, kind: Kind, outcome: Outcome, chat: Chat) -> list[Told]:
    """Nothing where no such alarm is open, and no chat thinks so."""
    said = f"The check of {outcome.at[:16].replace('T', ' ')} UTC finds nothing any more."
    placed = None
    if credentials.token():
        try:
            placed = github.connect(repository).clear_alarm(github.marker("alarm", kind), said)
        except KitError as error:
            return [Told(kind, "not told", problem=in_a_line(error))]
    where = placed.url if placed else ""
    heard = chat.tell("over", kind, TITLES[kind][0], said, where)
    return [Told(kind, "closed", where, heard, _unheard(heard))] if placed or heard else []


def _title(outcome: Outcome, kind: Kind) -> str:
    """With the first column that is meant, so that a list of issues can be read."""
    title, columns = TITLES[kind][0], outcome.columns(kind)
    if not columns:
        return title
    more = f" and {len(columns) - 1} more" if columns[1:] else ""
    return f"{title}: {plain(columns[0])}{more}"


def text(repository: Repository, contract: Contract, outcome: Outcome, kind: Kind) -> str:
    """The body of the issue: what, how sure, what to type."""
    tabled = kind == "data-drift" and kind in outcome.shown  # column by column
    found = [] if tabled else [f"- {plain(one, 400)}" for one in outcome.of(kind)[:30]]
    about = [f"Window {code(outcome.window)}"] if outcome.window else []
    about += [f"against {code(outcome.version)}"] if outcome.version and outcome.window else []
    about += [f"checked {outcome.at[:16].replace('T', ' ')} UTC"]
    parts = ["\n".join(found)] if found else []
    parts += [", ".join(about) + "."]
    parts += [CHANCE] if kind in ("data-drift", "schema") else []
    parts += [outcome.shown[kind]] if kind in outcome.shown else []
    parts += [f"What to do: {_runbook(repository, contract, kind)}"]
    parts += [f"The same check again:\n\n    {outcome.again}"] if outcome.again else []
    return "\n\n".join([*parts, ONCE if kind == "training-data" else EACH])


def _runbook(repository: Repository, contract: Contract, kind: Kind) -> str:
    where = contract.alerts.runbook
    slug = github.slug_of(repository)
    if not slug or not (repository.root / where).is_file():
        return code(where)
    return f"[{Path(where).stem}]({github_env.server_url()}/{slug}/blob/HEAD/{where}#{TITLES[kind][1]})"


def test(repository: Repository, contract: Contract) -> list[Told]:
    """Raises an alarm that means nothing and closes it, by every way there is."""
    told = []
    if credentials.token():
        words = "`mlops-kit alert --test` asks whether alarms arrive. There is nothing to do."
        where = alarms.ring(repository, Alarm("test", "Test of the alarms", words))
        arrived = not where.startswith(alarms.NOT)
        if arrived:
            alarms.clear(repository, "test", "It arrived.")
        told.append(Told("issue", "told" if arrived else "not told", where, problem="" if arrived else where))
    if contract.alerts.webhook:
        slug = github.slug_of(repository) or repository.root.name
        message = Message(
            "test", "test", "Do alarms arrive?", "There is nothing to do.", slug, "", clock.timestamp()
        )
        try:
            webhooks.send(contract.alerts.webhook, message)
            told.append(Told("webhook", "told"))
        except KitError as error:
            told.append(Told("webhook", "not told", problem=in_a_line(error)))
    if not told:
        raise KitError(
            "There is nobody to tell: no token for GitHub and no alerts.webhook in mlops.yaml.",
            f"`{github_env.EXPORT_TOKEN}`, or name a webhook.",
        )
    return told
