"""Raise, update and close alarms by the result of a check: one issue a kind, and the webhook.

Kinds that the check could not judge stay as they are: a window that is too small closes no alarm.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from mlops_kit.alerts import webhook as webhooks
from mlops_kit.alerts.chat import TOLD, Chat, in_a_line
from mlops_kit.alerts.kinds import ANY_CHECK, EVENTS, KINDS, Kind, judged_by
from mlops_kit.alerts.outcome import Outcome
from mlops_kit.alerts.webhook import Message
from mlops_kit.base import clock, credentials, github_env
from mlops_kit.base.errors import KitError
from mlops_kit.base.markdown import code, plain
from mlops_kit.base.sanitize import sanitize
from mlops_kit.forge import alarms, github
from mlops_kit.forge.alarms import Alarm
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.runs.events import Journal

EACH = "Each check updates this issue. The first check that could show the problem, and finds nothing, closes it."
ONCE = "Close this issue when you have looked at it. The next version whose training data did not drift closes it, too."
CHANCE = "On data like the reference, at most one check in 100 raises this alarm by chance."


@dataclass(frozen=True)
class Told:
    kind: str
    done: str  # created, updated, reopened, unchanged, closed; or "not told"
    where: str = ""
    webhook: str = ""  # "told", or why not; empty if there was nothing to tell
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
    """Raise the alarms of the findings and close those that are over. A result has a `problem` if its message failed."""
    results, chat = [], Chat.of(repository, contract)
    for kind in outcome.kinds:
        say(f"raise {kind}")
        results.append(_raise_alarm(repository, contract, outcome, kind, labels, chat))
    for kind in [*outcome.over(), *_ended_by_any_check(outcome)]:
        results += _close_alarm(repository, kind, outcome, chat)
    for result in results:
        if result.is_news:
            facts = {
                "where": result.where or None,
                "error": result.problem or None,
                "webhook": result.webhook or None,
            }
            journal.emit(f"alarm:{result.kind}", result.done, **facts)
    return results


def problems(results: list[Told]) -> list[str]:
    """Return one line for each alarm whose message failed, with the reason."""
    return [f"{one.kind}: {one.problem}" for one in results if one.problem]


def text(results: list[Told]) -> str:
    """Return the text for the terminal: one line for each alarm."""
    lines = [f"{one.kind}: {one.done}{f', {one.where}' if one.where else ''}" for one in results]
    return "\n".join(lines) or "No alarm to raise or to close."


def _ended_by_any_check(outcome: Outcome) -> list[Kind]:
    return [kind for kind in judged_by(ANY_CHECK) if kind not in outcome.kinds]


def plan(outcome: Outcome) -> list[Told]:
    """Return the results that `bring` would give, without a message to anybody."""
    raised = [Told(kind, "would be raised or updated") for kind in outcome.kinds]
    return raised + [Told(kind, "would be closed, if it is open") for kind in outcome.over()]


def _raise_alarm(
    repository: Repository,
    contract: Contract,
    outcome: Outcome,
    kind: Kind,
    labels: tuple[str, ...],
    chat: Chat,
) -> Told:
    title, findings = _title(outcome, kind), "\n".join(outcome.of(kind))
    if not credentials.token() and chat.form:
        webhook = chat.tell("raised", kind, title, findings)
        done = {TOLD: "created", "": "unchanged"}.get(webhook, "not told")
        return Told(kind, done, "", webhook, _webhook_problem(webhook))
    try:
        placed = github.connect(repository).raise_alarm(
            github.marker("alarm", kind),
            title,
            body(repository, contract, outcome, kind),
            (github.LABEL, *labels),
            timedelta(hours=contract.alerts.cooldown_hours),
        )
    except KitError as error:
        webhook = chat.tell("raised", kind, title, findings)
        return Told(kind, "created" if webhook == TOLD else "not told", "", webhook, in_a_line(error))
    webhook = chat.tell("raised", kind, title, findings, placed.url)
    return Told(kind, placed.done, placed.url, webhook, _webhook_problem(webhook))


def _webhook_problem(answer: str) -> str:
    return "" if answer in ("", TOLD) else answer


def _close_alarm(repository: Repository, kind: Kind, outcome: Outcome, chat: Chat) -> list[Told]:
    """Closes an alarm; empty if no issue is open and the chat knows of none."""
    comment = f"The check of {outcome.at[:16].replace('T', ' ')} UTC found nothing any more."
    placed = None
    if credentials.token():
        try:
            placed = github.connect(repository).clear_alarm(github.marker("alarm", kind), comment)
        except KitError as error:
            return [Told(kind, "not told", problem=in_a_line(error))]
    where = placed.url if placed else ""
    webhook = chat.tell("over", kind, KINDS[kind].title, comment, where)
    return [Told(kind, "closed", where, webhook, _webhook_problem(webhook))] if placed or webhook else []


def _title(outcome: Outcome, kind: Kind) -> str:
    """What happened, with the first column: "New category in `carrier` and 1 more"."""
    found = [one for one in outcome.findings if one.kind == kind and one.column]
    if not found:
        return KINDS[kind].title
    name, title = code(found[0].column, 80), EVENTS.get(found[0].event)
    more = f" and {len(found) - 1} more" if found[1:] else ""
    return f"{title.format(name) if title else f'{KINDS[kind].title} in {name}'}{more}"


def body(repository: Repository, contract: Contract, outcome: Outcome, kind: Kind) -> str:
    """Return the text of the issue: findings, window, plots, runbook, and the command that repeats the check."""
    row = KINDS[kind]
    tabled = row.has_table and kind in outcome.shown
    findings = [] if tabled else [f"- {plain(one, 400)}" for one in outcome.of(kind)[:30]]
    context = [f"Window {code(outcome.window)}"] if outcome.window else []
    context += [f"against {code(outcome.version)}"] if outcome.version and outcome.window else []
    context += [f"checked {outcome.at[:16].replace('T', ' ')} UTC"]
    parts = ["\n".join(findings)] if findings else []
    parts += [", ".join(context) + "."]
    parts += [CHANCE] if row.is_calibrated else []
    parts += [sanitize(outcome.shown[kind]).strip()] if kind in outcome.shown else []
    parts += [f"What to do: {_runbook(repository, contract, kind)}"]
    parts += [f"Repeat the check:\n\n    {outcome.command}"] if outcome.command else []
    return "\n\n".join([*parts, ONCE if row.stays_open else EACH])


def _runbook(repository: Repository, contract: Contract, kind: Kind) -> str:
    where = contract.alerts.runbook
    slug = github.slug_of(repository)
    if not slug or not (repository.root / where).is_file():
        return code(where)
    return f"[{Path(where).stem}]({github_env.server_url()}/{slug}/blob/HEAD/{where}#{KINDS[kind].runbook})"


def test(repository: Repository, contract: Contract) -> list[Told]:
    """Raise and close a test alarm on every channel. Raises KitError if there is no channel."""
    results = []
    if credentials.token():
        words = "This is a test by `mlops-kit alert --test`. There is nothing to do."
        where = alarms.ring(repository, Alarm("test", "Test of the alarms", words))
        arrived = not where.startswith(alarms.NOT)
        if arrived:
            alarms.clear(repository, "test", "The test alarm arrived.")
        results.append(
            Told("issue", "told" if arrived else "not told", where, problem="" if arrived else where)
        )
    if contract.alerts.webhook:
        slug = github.slug_of(repository) or repository.root.name
        message = Message(
            "test", "test", "Do alarms arrive?", "There is nothing to do.", slug, "", clock.timestamp()
        )
        try:
            webhooks.send(contract.alerts.webhook, message)
            results.append(Told("webhook", "told"))
        except KitError as error:
            results.append(Told("webhook", "not told", problem=in_a_line(error)))
    if not results:
        raise KitError(
            "There is no place for alarms: no GitHub token, and no alerts.webhook in mlops.yaml.",
            f"`{github_env.EXPORT_TOKEN}`, or set alerts.webhook.",
        )
    return results
