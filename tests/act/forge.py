"""GitHub on this machine: a bare repository, a working copy, pull requests, and runs of the workflows."""

import contextlib
import itertools
import stat
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests import uv_with_cache
from tests.act import payloads, runner
from tests.act.api import READ_TOKEN, WRITE_TOKEN, Api
from tests.act.outcome import Outcome
from tests.act.payloads import NOBODY, REPOSITORY
from tests.conftest import must

URL = f"https://github.com/{REPOSITORY}.git"
# $1 is the ref; what this project's owner pushes in a test passes
REFUSAL = """#!/bin/sh
[ "$FORGE_OWNER" = yes ] && exit 0
case "$1" in {pattern}) echo "GH013: Repository rule violations found for $1."; echo "{says}"; exit 1;; esac
"""


class Forge:
    """`work` is a person's working copy; `bare` is what the others see, under the address of `URL`.

    With `kit`, nothing is installed and compiled again that is ready: a run uses the environment of `work` as long as
    its lock is that one's, and the kit's environments in this folder.
    """

    def __init__(self, folder: Path, work: Path, api: Api, export: Path, *, kit: Path | None = None) -> None:
        self.work, self.api, self.export = work, api, export
        self.ready = uv_with_cache.Ready((work / ".venv").resolve().parent, kit) if kit else None
        self.variables: dict[str, str] = {}
        self.secrets: dict[str, str] = {}
        self.environment: dict[str, str] = {}
        self._folder, self._numbers = folder, itertools.count(1)
        self.bare = folder / "github.com" / f"{REPOSITORY}.git"
        self.bare.parent.mkdir(parents=True)
        must(["git", "init", "--quiet", "--bare", "--initial-branch=main", self.bare], folder)
        self.git_bare("config", "uploadpack.allowAnySHA1InWant", "true")
        if not (work / ".git").exists():
            self.git("init", "--quiet", "--initial-branch=main")
        self.git("remote", "add", "origin", URL)
        if must(["git", "rev-list", "--all", "--max-count=1"], work):
            self.push()

    # ---- a person ----

    def git(self, *words: str | Path) -> str:
        return must(["git", *words], self.work, **self._insteads(), FORGE_OWNER="yes").strip()

    def git_bare(self, *words: str | Path) -> str:
        return must(["git", "-C", self.bare, *words], self._folder).strip()

    def commit(self, message: str, files: Mapping[str, str | bytes] | None = None) -> str:
        """All that changed in `work`, and these files; without hooks."""
        for name, content in (files or {}).items():
            path = self.work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--no-verify", "--message", message)
        return self.git("rev-parse", "HEAD")

    def push(self, *refs: str) -> None:
        self.git("push", "--quiet", "origin", *(refs or ("HEAD:main",)))

    def merge(self, message: str, files: Mapping[str, str | bytes] | None = None) -> str:
        """A commit that reaches main."""
        commit = self.commit(message, files)
        self.push()
        return commit

    def pull_request(self, branch: str, title: str = "", *, fork: bool = False) -> int:
        """Of HEAD into main, opened or, if `branch` has one, updated; its number."""
        owner = "stranger" if fork else REPOSITORY.split("/")[0]
        number = self.api.open_pull(f"{owner}:{branch}", title or self.git("log", "-1", "--format=%s"))
        self.push(f"+HEAD:refs/pull/{number}/head", *([] if fork else [f"+HEAD:refs/heads/{branch}"]))
        self._merge_commit(number)
        return number

    def reject(self, pattern: str, says: str = "Changes must be made through a pull request.") -> None:
        """A rule: what matches, as in a shell's `case`, is not pushed from a workflow."""
        hook = self.bare / "hooks/update"
        hook.write_text(REFUSAL.format(pattern=pattern, says=says))
        hook.chmod(hook.stat().st_mode | stat.S_IXUSR)

    def allow(self) -> None:
        """The rule of `reject` ends."""
        (self.bare / "hooks/update").unlink()

    # ---- what the others see ----

    def refs(self, prefix: str = "refs/tags") -> dict[str, str]:
        """Short name -> object."""
        lines = self.git_bare("for-each-ref", "--format=%(refname:short) %(objectname)", prefix).splitlines()
        return {name: sha for name, _, sha in (line.partition(" ") for line in lines)}

    def show(self, at: str) -> str:
        """`TAG:path`, or an object."""
        return self.git_bare("show", at)

    # ---- a runner ----

    def run(
        self,
        workflow: str,
        event: str = "push",
        *,
        pull: int = 0,
        payload: Mapping[str, Any] | None = None,
        inputs: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        env: Mapping[str, str] | None = None,
        fork: bool = False,
        at: str = "main",
        attempt: int = 1,
        actor: str = "ada",
        online: bool = False,
        only: str = "",
    ) -> Outcome:
        """Of what was pushed: main, an older commit with `at`, or the merge commit of pull request `pull`.

        `variables`, `secrets` and `env` (the runner's environment) are added to this object's. A pull request
        from a fork, and with `fork` a repository that is one, has none but `env` and may only read.
        """
        fork = fork or bool(pull and self.api.pull(pull)["head"]["repo"]["fork"])
        commit = self._merge_commit(pull) if pull else self.git_bare("rev-parse", f"{at}^{{commit}}")
        branch = self.api.pull(pull)["head"]["ref"] if pull else "main"
        number = next(self._numbers)
        with (
            self._run_folder(commit, pull) as (folder, clone),
            self.api.running(workflow, event, commit, branch) as about,
        ):
            job = runner.Job(
                workflow,
                event,
                payload=self._payload(event, pull, commit, actor, fork, inputs, payload or {}),
                variables={} if fork else self.variables | dict(variables or {}),
                secrets={"GITHUB_TOKEN": READ_TOKEN if fork else WRITE_TOKEN}
                | ({} if fork else self.secrets | dict(secrets or {})),
                github={
                    "GITHUB_API_URL": self.api.url,
                    "GITHUB_RUN_ID": str(about["id"]),
                    "GITHUB_RUN_NUMBER": str(number),
                    "GITHUB_RUN_ATTEMPT": str(attempt),
                    "GITHUB_SHA": commit,
                },
                environment=self._insteads(read_only=fork)
                | ({} if fork else self.environment)
                | dict(env or {}),
                actor=actor,
                online=online,
                only=only,
                ready=self.ready,
            )
            outcome = runner.run(job, REPOSITORY, clone, self.export, folder)
            about["conclusion"] = "failure" if "failure" in outcome.jobs.values() else "success"
        return outcome

    # ---- inside ----

    def _payload(
        self,
        event: str,
        pull: int,
        commit: str,
        actor: str,
        fork: bool,
        inputs: Mapping[str, str] | None,
        over: Mapping[str, Any],
    ) -> dict[str, Any]:
        assert bool(pull) == (event == "pull_request"), "a pull_request has a `pull`, nothing else has"
        if pull:
            base = payloads.pull_request(self.api.pull(pull), "synchronize", actor)
        else:
            before = self.git_bare("log", "-1", "--format=%P", commit).split(" ")[0] or NOBODY
            message = self.git_bare("log", "-1", "--format=%B", commit)
            base = payloads.of(event, commit, before, message, actor, fork=fork)
        return payloads.merged(payloads.merged(base, {"inputs": dict(inputs)} if inputs else {}), over)

    def _insteads(self, *, read_only: bool = False) -> dict[str, str]:
        """All of github.com is a folder here; with a job's token in the address too. Nobody's name for Git."""
        base = f"url.file://{self._folder}/github.com/.insteadOf"
        pairs = [(base, "https://github.com/"), (base, f"https://x-access-token:{WRITE_TOKEN}@github.com/")]
        if read_only:
            pairs.append((f"url.file://{self._folder}/may-not-push/.pushInsteadOf", "https://github.com/"))
        pairs.append(("user.useConfigOnly", "true"))
        found = {"GIT_CONFIG_COUNT": str(len(pairs)), "GIT_CONFIG_SYSTEM": "/dev/null"}
        for i, (key, value) in enumerate(pairs):
            found |= {f"GIT_CONFIG_KEY_{i}": key, f"GIT_CONFIG_VALUE_{i}": value}
        return found

    def _merge_commit(self, number: int) -> str:
        """Made anew, as main may have moved."""
        head = self.git_bare("rev-parse", f"refs/pull/{number}/head")
        tree = self.git_bare("merge-tree", "--write-tree", "main", head).splitlines()[0]
        message = f"Merge {head} into {self.git_bare('rev-parse', 'main')}"
        merge = self.git_bare("commit-tree", tree, "-p", "main", "-p", head, "-m", message)
        self.git_bare("update-ref", f"refs/pull/{number}/merge", merge)
        self.api.pull(number)["head"]["sha"] = head
        self.api.pull(number)["merge_commit_sha"] = merge
        return merge

    @contextlib.contextmanager
    def _run_folder(self, commit: str, pull: int) -> Iterator[tuple[Path, Path]]:
        """A folder of the run's own, and a clone in it as actions/checkout makes one."""
        runs = self._folder / "runs"
        runs.mkdir(exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=runs))
        remote = f"refs/remotes/pull/{pull}/merge" if pull else "refs/remotes/origin/main"
        clone = folder / "clone" / REPOSITORY.split("/")[1]
        must(["git", "init", "--quiet", "--initial-branch=main", clone], folder)
        for words in (
            ["remote", "add", "origin", URL],
            ["fetch", "--quiet", "--no-tags", "--depth=1", "origin", f"+{commit}:{remote}"],
            ["checkout", "--quiet", *([] if pull else ["-B", "main"]), remote],
        ):
            must(["git", *words], clone, **self._insteads())
        yield folder, clone
