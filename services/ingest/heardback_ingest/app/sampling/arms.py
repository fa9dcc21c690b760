"""Use cases: experiments with how often to ask, and in which arm a person is."""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.app.sampling.ports import Experiments, Running
from heardback_ingest.domain.sampling.arms import ARM, NONE, Experiment, arm_name, drawn
from heardback_ingest.domain.sampling.drafting import unruled
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database
from heardback_shared.errors import ProblemError
from heardback_shared.http.problems import invalid
from heardback_shared.ids import new_id
from heardback_shared.policies.in_force import PoliciesInForce


class Arms:
    """In which arm people are, for whoever decides whether they are asked."""

    def __init__(self, experiments: Experiments, clock: Clock) -> None:
        self._experiments = experiments
        self._clock = clock

    async def of(
        self, c: AsyncConnection, tenant_id: str, running: Experiment | None, person_ids: Sequence[str]
    ) -> dict[str, str]:
        """By person "gap-30" and the like, or "none". Who takes part is written down before being asked."""
        if running is None:
            return dict.fromkeys(person_ids, NONE)
        gaps = {person: drawn(running, tenant_id, person) for person in person_ids}
        part = {person: gap for person, gap in sorted(gaps.items()) if gap is not None}
        if part:
            now = self._clock.now()
            await self._experiments.assign(c, tenant_id, running.id, part, now)
        return {person: NONE if gap is None else arm_name(gap) for person, gap in gaps.items()}


class KeepExperiments:
    def __init__(
        self, database: Database, experiments: Experiments, policies: PoliciesInForce, clock: Clock
    ) -> None:
        self._database = database
        self._experiments = experiments
        self._policies = policies
        self._clock = clock

    async def start(
        self, tenant_id: str, by: str, gaps: tuple[int, ...], share: float, because: str
    ) -> Running:
        """Raises ProblemError where one runs already, or the surveys policy would not keep the arms apart."""
        experiment = Experiment(new_id("fx"), tuple(sorted(gaps)), share)
        running = Running(experiment, because, by, self._clock.now())
        async with self._database.tenant(tenant_id) as c:
            policy = await self._policies.of(c, tenant_id, "surveys")
            missing = unruled(policy, experiment.gaps)
            if missing:
                raise _unkept(missing)
            if not await self._experiments.start(c, tenant_id, running):
                raise _conflict("An experiment runs already; end it first.")
        return running

    async def end(self, tenant_id: str, by: str) -> Running:
        """Nobody is in an arm from the next transaction on. What was seen stays, and can be looked at."""
        async with self._database.tenant(tenant_id) as c:
            if not await self._experiments.end(c, tenant_id, by, self._clock.now()):
                raise _conflict("No experiment runs.")
            found = await self._experiments.newest(c, tenant_id)
        assert found is not None
        return found

    async def current(self, tenant_id: str) -> tuple[Running | None, Mapping[int, int]]:
        """The newest experiment, and how many people are in each arm by gap so far."""
        async with self._database.tenant(tenant_id) as c:
            found = await self._experiments.newest(c, tenant_id)
            sizes = await self._experiments.sizes(c, tenant_id, found.experiment.id) if found else {}
        return found, sizes


def _unkept(gaps: Sequence[int]) -> ProblemError:
    rules = " ".join(
        f"{{name: arm-{gap}, gap: {{rolling: {gap}d}}, when: {{{ARM}: {{equals: {arm_name(gap)}}}}}}}"
        for gap in gaps
    )
    detail = f"the surveys policy in force keeps no such distance; put into its rules: {rules}"
    return invalid((("/gaps", detail),))


def _conflict(detail: str) -> ProblemError:
    return ProblemError(409, "not-now", "The experiment does not allow this now", detail)
