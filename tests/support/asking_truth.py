"""Customers whose rates are known, to measure against: how many answer, and what asking does to them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heardback_ingest.domain.sampling.exposure import HALF_LIFE_DAYS, NOT_DRAWN, Asks
from heardback_ingest.domain.sampling.plan import Size
from heardback_ingest.domain.sampling.waves import next_wave

Generator = np.random.Generator


@dataclass(frozen=True, slots=True)
class Tried:
    """Shares over runs. `sent`: what waves sent as a part of what one shot sends, over all runs."""

    one_shot: float
    naive: float
    waves: float
    sent: float
    least_sent: float


def tried(plan: Size, runs: int, random: Generator) -> Tried:
    """Each run draws the true rate from what is believed of it. `naive` sends answers ÷ rate. `least_sent` is
    what sending one by one would, stopping at once: nothing that stops at the target can send less."""
    rates = random.beta(plan.rate.a, plan.rate.b, runs)
    naive = min(plan.population, int(np.ceil(plan.answers / plan.rate.expected)))
    reached = out = least = 0
    for rate in rates:
        done = sent = answered = 0
        while True:
            wave = next_wave(done, sent, answered, plan.invites, plan.answers, plan.rate)
            if wave.invites == 0:
                break
            answered += int(random.binomial(wave.invites, rate))
            sent, done = sent + wave.invites, done + 1
        reached += answered >= plan.answers
        out += sent
        least += min(plan.invites, plan.answers + int(random.negative_binomial(plan.answers, rate)))
    everything = runs * plan.invites
    return Tried(
        float((random.binomial(plan.invites, rates) >= plan.answers).mean()),
        float((random.binomial(naive, rates) >= plan.answers).mean()),
        reached / runs,
        out / everything,
        least / everything,
    )


@dataclass(frozen=True, slots=True)
class Truth:
    """`per_ask`: logits that an ask takes off. `active`: how much more those answer who are more active, in
    logits per standard deviation; `seen`: how much more often they come by. `visits`: a day, for the
    middling."""

    per_ask: float = -0.15
    rest: float = -1.6
    attrition: float = 0.004
    active: float = 0.5
    seen: float = 0.5
    visits: float = 1 / 15
    days: int = 365


def asked(
    truth: Truth, customers: int, gaps: tuple[int, ...], random: Generator, *, drawn: bool = True
) -> Asks:
    """A customer is asked when one comes by and the gap is over. Gaps are drawn by lot, or (not `drawn`)
    chosen: the more active half gets the shortest, as a company does that asks whoever answers."""
    activity = random.standard_normal(customers)
    gap = np.asarray(gaps)[random.integers(0, len(gaps), customers)]
    if not drawn:
        gap = np.where(activity > 0, min(gaps), max(gaps))
    coming = 1 - np.exp(-truth.visits * np.exp(truth.seen * activity))
    exposure, last = np.zeros(customers), np.full(customers, -10_000)
    there = np.ones(customers, np.bool_)
    found: list[tuple[NDArray[Any], ...]] = []
    for day in range(truth.days):
        exposure *= 2 ** (-1 / HALF_LIFE_DAYS)
        now = np.flatnonzero(there & (day - last >= gap) & (random.random(customers) < coming))
        logit = truth.rest + truth.active * activity[now] + truth.per_ask * exposure[now]
        answered = random.random(len(now)) < 1 / (1 + np.exp(-logit))
        left = random.random(len(now)) < truth.attrition
        found.append((now, np.full(len(now), float(day)), gap[now], exposure[now], answered, left))
        exposure[now] += 1
        last[now], there[now[left]] = day, False
    who, when, gap, before, answers, lefts = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.lexsort((when, who))
    nothing = np.zeros(len(order), np.bool_)
    return Asks(
        who[order],
        when[order],
        gap[order] if drawn else np.full(len(order), NOT_DRAWN),
        before[order],
        answers[order],
        nothing,
        lefts[order],
        nothing,
    )
