"""`promotion: approved`: only the workflow `promote`, which a person approves, puts a version into a stage.

A promotion anywhere else starts that workflow. The next run of `register --from` finds stages that were changed in
another way, and puts the approved version back. Git cannot prove who made a tag, so the kit asks GitHub for the run
that the tag names.
"""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mlops_kit.alerts.kinds import KINDS, Kind
from mlops_kit.base import credentials, github_env
from mlops_kit.base.errors import KitError
from mlops_kit.base.markdown import code, plain
from mlops_kit.base.progress import Say
from mlops_kit.forge import alarms, runner
from mlops_kit.forge.alarms import Alarm
from mlops_kit.project import commits
from mlops_kit.project.contract import FILE, Contract
from mlops_kit.project.repository import Repository
from mlops_kit.registry import assign
from mlops_kit.registry.assign import NOTHING
from mlops_kit.versions import stages, tags
from mlops_kit.versions import version as versions
from mlops_kit.versions.stages import RESTORED, Assignment, Stay

if TYPE_CHECKING:
    from mlops_kit.forge.github import GitHub

WORKFLOWS = ("promote.yml", "mlops-promote.yml")  # the second in a repository that was adopted
KIND: Kind = "promotion-not-approved"
SETTING = r"^promotion:[[:space:]]*[\"']?approved"


def is_asked(contract: Contract) -> bool:
    """True if a promotion here must start the workflow instead: `promotion: approved`, and this is not its run."""
    return contract.promotion == "approved" and not _is_the_workflow()


def _is_the_workflow() -> bool:
    file = re.search(r"/\.github/workflows/([^/@]+)@refs/heads/(.+)$", github_env.workflow_ref())
    if not github_env.on_runner() or not file or file[1] not in WORKFLOWS:
        return False
    about = runner.event().get("repository")
    main = about.get("default_branch") if isinstance(about, dict) else None
    return main in (None, file[2])


def start(repository: Repository, version: str, stage: str, why: str) -> str:
    """Start the workflow, and return the address where a person approves it. `version` is empty for a rollback."""
    from mlops_kit.forge import github

    file = workflow_file(repository)
    try:
        hub = github.connect(repository)
        hub.start_workflow(file, {"version": version, "stage": stage, "why": why})
    except KitError as error:
        command = f"gh workflow run {file} -f version={version} -f stage={stage} -f why=..."
        raise KitError(
            f"{FILE} asks for an approval (`promotion: approved`), and {file} could not be started: {error.what}",
            f"{error.do} Or start it yourself: `{command}`.",
        ) from error
    return f"{github_env.server_url()}/{hub.slug}/actions/workflows/{file}"


def workflow_file(repository: Repository) -> str:
    """Raises KitError if the repository has no such workflow."""
    folder = repository.root / ".github/workflows"
    for name in WORKFLOWS:
        if (folder / name).is_file():
            return name
    raise KitError(
        f"{FILE} asks for an approval (`promotion: approved`), and .github/workflows has no {WORKFLOWS[0]}.",
        f"`mlops-new update` brings it back; or set `promotion: open` in {FILE}.",
    )


# ---- what was put into a stage without the workflow ----


@dataclass(frozen=True)
class Unapproved:
    """A stage that does not hold what was approved last."""

    stage: str
    held: Stay | None  # None if the stage was emptied
    approved: str  # the commit; empty if nothing was ever approved


def restore(repository: Repository, contract: Contract, say: Say) -> None:
    """Put stages back to what was approved last, and raise an alarm, which a person closes.

    If GitHub does not answer, nothing is put back, and a warning says so: the next run looks again.
    """
    if contract.promotion != "approved" or not credentials.token():
        return
    from mlops_kit.forge import github

    try:
        versions.fetch(repository, contract.model)
        found = unapproved(repository, contract.model, github.connect(repository))
    except KitError as error:
        says = f"It is not known whether promotions were approved: {error.what}"
        say(says)
        runner.annotate("warning", says)
        return
    lines = [_put_back(repository, contract.model, one) for one in found]
    for line in lines:
        say(line)
    if not lines:
        return
    text = "\n".join([*(f"- {plain(line, 400)}" for line in lines), "", _advice(contract.model)])
    where = alarms.ring(repository, Alarm(KIND, KINDS[KIND].title, text))
    runner.annotate("error", f"{lines[0]} {where}")


def unapproved(repository: Repository, model: str, hub: "GitHub") -> list[Unapproved]:
    """The stages whose version the workflow did not put there."""
    ordered = stages.assignments(repository, model)
    proof = _Proof(repository, model, hub, ordered)
    found = []
    for stage in stages.stage_names(ordered):
        stay, approved = stages.current_stay(ordered, stage), ""
        proven: list[Assignment] = []
        for one in ordered:
            # A tag that puts there what is approved changes nothing, whoever made it.
            if one.stage == stage and one.commit != approved and proof.holds(one, proven):
                approved = one.commit
                proven.append(one)
        if (stay.commit if stay else "") != approved:
            found.append(Unapproved(stage, stay, approved))
    return found


class _Proof:
    """Which assignments the workflow made, as GitHub says."""

    def __init__(self, repository: Repository, model: str, hub: "GitHub", ordered: list[Assignment]) -> None:
        self.repository, self.model, self.hub = repository, model, hub
        self.names = {one.commit: one.name for one in versions.versions(repository, model)}
        self.counts = Counter(one.count for one in ordered)
        self.used: set[str] = set()  # runs that made a tag already: a run makes one
        self._since: datetime | None = None

    def holds(self, one: Assignment, before: list[Assignment]) -> bool:
        """True if the workflow made this assignment, after those of `before`.

        False for a removal: the version is in no stage any more.
        """
        if one.takes_back or one.commit not in self.names:
            return False
        if not one.run:
            return self._is_older(one)
        if one.run in self.used:
            return False
        run = self.hub.run(one.run)
        if run is None or run.file not in WORKFLOWS or not run.on_default_branch or not run.moved:
            return False
        if not self._is_about(run.title, one, before):
            return False
        is_its_time = run.started - stages.SKEW <= one.dated <= run.updated + stages.SKEW
        if is_its_time:
            self.used.add(one.run)
        return is_its_time

    def _is_about(self, title: str, one: Assignment, before: list[Assignment]) -> bool:
        """True if a run with this title, which the workflow writes, may have made the assignment."""
        if promoted := re.fullmatch(r"promote (\S+) to (\S+)", title):
            return (tags.version_in(self.model, promoted[1]), promoted[2]) == (
                self.names[one.commit],
                one.stage,
            )
        back = stages.rollback_target(before, one.stage)  # the title of a rollback names no version
        return title == f"roll back {one.stage}" and one.commit == back

    def _is_older(self, one: Assignment) -> bool:
        """True if the tag was made before mlops.yaml asked for approvals.

        A date can be forged, so a tag that shares its number with another one is refused: a forged old tag would.
        """
        if self._since is None:
            self._since = _since(self.repository)
        return one.dated < self._since and self.counts[one.count] == 1


def _since(repository: Repository) -> datetime:
    """When mlops.yaml began to require approvals; 1970 if its history does not show it."""
    commits.deepen(repository)
    asked = ("log", "-1", "--format=%ct", "-G", SETTING, "HEAD", "--", FILE)
    moment = repository.git(*asked).strip()
    return datetime.fromtimestamp(int(moment or 0), UTC)


def _put_back(repository: Repository, model: str, one: Unapproved) -> str:
    """Put the approved version back. Returns a sentence that says what was done, or why it failed."""
    known = {version.commit: version for version in versions.versions(repository, model)}
    name, says = NOTHING, f"{one.stage} was emptied without an approval"
    if one.held:
        held, put = one.held.commit, one.held.put
        name = known[held].name if held in known else held[:7]
        says = f"{one.stage} held {name} without an approval ({put.tag}, by {put.who})"
    if not one.approved:
        return f"{says}; there is no approved version to put back."
    version = known[one.approved]
    facts = {"why": f"{says}.", "Was": name, "Kind": RESTORED}
    ordered = stages.assignments(repository, model)
    try:
        done = assign.assign(repository, version, one.stage, ordered, **facts)
    except KitError as error:
        return f"{says}; {version.name} could not be put back: {error.what.splitlines()[0]}"
    return f"{says}; {version.name}, which was approved, is back ({done.tag})."


def _advice(model: str) -> str:
    return (
        f"`promotion: approved` in {code(FILE)} lets only the workflow `promote` change a stage. Ask who made the tag. "
        f"A rule for tags {code(tags.stage_glob(model))} keeps others from making one: `mlops-kit doctor` looks at it. "
        "Close this issue when you have looked."
    )
