"""Puts in force what was decided about models, while the service goes on scoring."""

import asyncio
from collections.abc import Callable, Hashable

import structlog

from heardback_scoring.app.ports import Opened, Registry
from heardback_scoring.app.serving import Serving
from heardback_scoring.app.understanding import Understanding, around
from heardback_scoring.domain.registry import Registered, RegistryState
from heardback_shared.clock import Clock
from heardback_shared.metrics import Metrics

RETRY_SECONDS = 60.0
"""After this time a model that could not be opened is tried again: its files may have been put right."""

_log = structlog.get_logger(__name__)

Open = Callable[[Registered | None], Opened]
"""Opens exactly this model, or for None that of the settings; blocking. Whatever it raises is a refusal."""


class FollowRegistry:
    """`begin` once, then `run`. A decision that cannot be carried out leaves the model in force as it is."""

    def __init__(
        self,
        registry: Registry | None,
        open_: Open,
        understand: Callable[[Opened], Understanding],
        clock: Clock,
        metrics: Metrics,
        *,
        every_seconds: float = 3.0,
    ) -> None:
        self._registry = registry
        self._open = open_
        self._understand = understand
        self._clock = clock
        self._metrics = metrics
        self._every = every_seconds
        self._seen: Hashable | None = None
        self._state = RegistryState()
        self._in_force: Registered | None = None
        self._retry_at: float | None = None

    async def begin(self) -> Serving:
        """The model that was promoted; that of the settings if none was, or it is refused."""
        problem = self._look_up()
        wanted, refusal = self._state.active, None
        if wanted is not None:
            try:
                opened = await asyncio.to_thread(self._open, wanted)
                serving = Serving(await asyncio.to_thread(self._understand, opened))
                self._in_force = wanted
            except Exception as error:  # whatever a model runtime raises: something must read
                refusal = error
        if wanted is None or refusal is not None:
            opened = await asyncio.to_thread(self._open, None)
            serving = Serving(await asyncio.to_thread(self._understand, opened))
        self._announce(serving)
        serving.problem = problem
        if wanted is not None and refusal is not None:
            self._refuse(serving, wanted, refusal)
        return serving

    async def run(self, serving: Serving, stop: asyncio.Event) -> None:
        """Looks now and then until told to stop."""
        while not stop.is_set():
            try:
                await asyncio.wait_for(stop.wait(), self._every)
            except TimeoutError:
                await self.look(serving)

    async def look(self, serving: Serving) -> None:
        """Reads what was decided, if anything was, and carries it out."""
        problem = self._look_up()
        if problem is not None:
            serving.problem = problem
            return
        wanted = self._state.active
        if wanted == self._in_force:
            serving.problem = serving.refused = self._retry_at = None
        elif self._retry_at is None or self._now() >= self._retry_at:
            await self._change(serving, wanted)

    @property
    def state(self) -> RegistryState:
        """What was decided, as last read."""
        return self._state

    async def _change(self, serving: Serving, wanted: Registered | None) -> None:
        try:
            opened = await asyncio.to_thread(self._open, wanted)
            async with serving.changing:
                understanding = await asyncio.to_thread(around, serving.understanding, opened)
                self._in_force, self._retry_at = wanted, None
                serving.problem = serving.refused = None
                await serving.replace(understanding)
        except Exception as error:  # as above; the model in force goes on reading
            self._refuse(serving, wanted, error)
            return
        self._metrics.model_changes.labels("changed").inc()
        self._announce(serving)

    def _look_up(self) -> str | None:
        """Takes over the registry's state if it changed; what is wrong with it, if it cannot be read."""
        if self._registry is None:
            return None
        try:
            stamp = self._registry.stamp()
            if stamp == self._seen:
                return None
            if stamp is None:
                return "The model registry is gone; the model in force stays until it is back."
            self._state, self._seen, self._retry_at = self._registry.state(), stamp, None
        except Exception as error:  # a file system may fail in many ways, and scoring goes on
            _log.error("scoring.registry_unreadable", error=type(error).__name__, detail=str(error))
            return str(error)
        return None

    def _refuse(self, serving: Serving, wanted: Registered | None, error: Exception) -> None:
        self._retry_at = self._now() + RETRY_SECONDS
        name = wanted.model if wanted else "the model of the settings"
        serving.problem = f"{name} was decided on but cannot be used: {error}"
        serving.refused = wanted.ref if wanted else None
        self._metrics.model_changes.labels("refused").inc()
        _log.error("scoring.model_refused", model=name, error=type(error).__name__, detail=str(error))

    def _announce(self, serving: Serving) -> None:
        by = serving.understanding
        model, degraded = by.reader.scorer.model, by.reader.scorer.degraded
        self._metrics.model_in_force.clear()
        self._metrics.model_in_force.labels(model.name, model.revision).set(1)
        self._metrics.model_degraded.set(1 if degraded else 0)
        _log.info("scoring.model", name=model.name, revision=model.revision, degraded=degraded)
        if by.why_degraded:
            _log.warning("scoring.degraded", because=by.why_degraded)

    def _now(self) -> float:
        return self._clock.now().timestamp()
