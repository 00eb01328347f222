"""Serve what the stage holds: look at it every minute and when asked, and change the version when it moved."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from mlops_kit.base.errors import KitError
from mlops_kit.base.progress import Say
from mlops_kit.serving.background import in_background
from mlops_kit.serving.keeper import NeverReadyError
from mlops_kit.serving.preparation import Preparation, Prepared
from mlops_kit.serving.stage_watch import AT_MOST_EVERY, EVERY, StageWatch
from mlops_kit.versions.version import Version


class Follower:
    def __init__(
        self,
        preparation: Preparation,
        served: Prepared,
        change: Callable[[Prepared], Awaitable[None]],
        say: Say,
    ) -> None:
        self.preparation, self.served, self.change, self.say = preparation, served, change, say
        stage, model = preparation.section.stage, preparation.contract.model
        self.watch = StageWatch(preparation.repository, model, stage, say)
        self.asked = asyncio.Event()
        self.refused = ""  # commit of a version that could not be served

    async def follow(self) -> None:
        """Without end."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.asked.wait(), EVERY)
            asked = self.asked.is_set()
            self.asked.clear()
            await self._look(asked)
            await asyncio.sleep(AT_MOST_EVERY)

    async def _look(self, asked: bool) -> None:
        version = await in_background(self.watch.look)
        if version is None or version.commit == self.served.deployment.commit:
            return
        if version.commit != self.refused or asked:
            await self._change_to(version)

    async def _change_to(self, version: Version) -> None:
        title, stage = self.served.deployment.title, self.watch.stage
        self.say(f"{stage} holds {version.name} now; {title} answers until it is ready")
        try:
            prepared = await in_background(lambda: self.preparation.version(version))
            await self.change(prepared)
        except (KitError, NeverReadyError, OSError) as error:
            self.refused = version.commit
            self.say(f"warning: {version.name} cannot be served, so {title} stays: {error}")
            return
        before, self.served, self.refused = self.served, prepared, ""
        self.say(f"{version.name} answers now")
        kept = prepared.deployment, before.deployment  # a rollback is urgent
        await in_background(lambda: self.preparation.remove_others(*kept))
