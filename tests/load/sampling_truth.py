"""How sampling and fatigue do against known truth, in full size: `python -m tests.load.sampling_truth`.

Prints a table per part and, with `--json FILE`, writes the figures with their Monte Carlo errors.
"""

import argparse
import json
from math import sqrt
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np

from heardback_ingest.domain.sampling.exposure import NOT_DRAWN
from heardback_ingest.domain.sampling.fatigue import Effect, Refused, estimate
from heardback_ingest.domain.sampling.plan import size
from heardback_ingest.domain.sampling.precision import Target
from heardback_ingest.domain.sampling.response import Rate, chance
from tests.support.asking_truth import Truth, asked, tried

POPULATIONS = (200, 800, 2_000, 10_000, 50_000)
KAPPAS = (40.0, 200.0, 1_000.0)
RATES = (0.05, 0.15, 0.40)
TARGETS = (Target(0.10), Target(0.05), Target(0.03))
SCENES = {
    "at visits": Truth(),
    "on the day": Truth(visits=50.0),
    "two years": Truth(days=730),
    "no effect": Truth(per_ask=0.0),
    "strongly confounded": Truth(active=1.0, seen=1.0),
}
GAPS = (30, 60, 90)
Z = NormalDist().inv_cdf(0.975)


def sizes(runs: int, seed: int) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    rows, unreachable, flagged = [], 0, 0
    for kappa in KAPPAS:
        for population in POPULATIONS:
            for expected in RATES:
                for target in TARGETS:
                    rate = Rate(expected, kappa)
                    plan = size(target, population, rate)
                    # Said another way than the planner says it: everybody asked, and still not enough.
                    if chance(plan.answers, population, rate) < plan.assurance:
                        unreachable += 1
                        flagged += not plan.reachable and plan.invites == population
                        continue
                    found = tried(plan, runs, random)
                    rows.append({"kappa": kappa, "invites": plan.invites, **_fields(found)})
    told: dict[str, Any] = {"runs": runs, "unreachable": unreachable, "flagged": flagged}
    for kappa in KAPPAS:
        of = [row for row in rows if row["kappa"] == kappa]
        print(f"kappa {kappa:.0f}: {len(of)} reachable plans")  # noqa: T201
        told[f"kappa {kappa:.0f}"] = {
            "plans": len(of),
            **{name: _spread(of, name) for name in _fields(found)},
        }
        for name, spread in told[f"kappa {kappa:.0f}"].items():
            print(f"   {name}: {spread}")  # noqa: T201
    outside = [row for row in rows if not 0.88 <= row["one_shot"] <= 0.93]
    told["one shot outside 0.88-0.93"] = len(outside)
    told["waves outside 0.88-0.93"] = len([row for row in rows if not 0.88 <= row["waves"] <= 0.93])
    told["waves over 0.85"] = len([row for row in rows if row["sent"] > 0.85])
    told["waves over 0.85 where less is possible"] = len(
        [row for row in rows if row["sent"] > 0.85 >= row["least_sent"]]
    )
    told["monte carlo error of a share"] = sqrt(0.09 / runs)
    print({k: v for k, v in told.items() if not k.startswith("kappa")})  # noqa: T201
    return told


def fatigue(runs: int, customers: int, seed: int) -> dict[str, Any]:
    told: dict[str, Any] = {"runs": runs, "customers": customers}
    for place, (name, truth) in enumerate(SCENES.items()):
        random = np.random.default_rng([seed, place])
        slopes, errors, kept, hazards = [], [], [], []
        for _ in range(runs):
            effect = estimate(asked(truth, customers, GAPS, random))
            if isinstance(effect, Refused):
                raise TypeError(effect.detail)
            slopes.append(effect.slope)
            errors.append(effect.standard_error)
            kept.append(effect.kept)
            hazards.append(_covers_hazard(effect, truth.attrition))
        told[name] = _against(truth, *(np.array(of) for of in (slopes, errors, kept))) | {
            "opt-out interval covers": sum(hazards) / runs
        }
        print(name, told[name])  # noqa: T201
    told["observational refused"] = _observational(customers, seed)
    print("observational:", told["observational refused"])  # noqa: T201
    return told


def _observational(customers: int, seed: int) -> dict[str, Any]:
    """What would come out if gaps that were chosen were read as if drawn, and what we say instead."""
    random = np.random.default_rng(seed)
    chosen = asked(Truth(), customers, GAPS, random, drawn=False)
    answer = estimate(chosen)
    share = [float(chosen.answered[which].mean()) for which in (chosen.exposure < 1, chosen.exposure >= 1)]
    assert bool((chosen.gap == NOT_DRAWN).all())
    return {
        "answer": answer.code if isinstance(answer, Refused) else "estimated",
        "answering below 1 ask of exposure": share[0],
        "from 1 ask on": share[1],
    }


def _covers_hazard(effect: Effect, truth: float) -> bool:
    low, high = effect.opt_outs.low, effect.opt_outs.high
    return low is not None and high is not None and low <= truth <= high


def _of_all(truth: Truth) -> float:
    """The slope of the share of all customers, over the first ask of exposure. Shares of people who differ
    move less than each one's own chance does."""
    places, weights = np.polynomial.hermite_e.hermegauss(40)

    def logit(exposure: float) -> float:
        each = truth.rest + truth.active * places + truth.per_ask * exposure
        share = float((weights / (1 + np.exp(-each))).sum() / weights.sum())
        return float(np.log(share / (1 - share)))

    return logit(1.0) - logit(0.0)


def _against(told: Truth, slopes: Any, errors: Any, kept: Any) -> dict[str, float]:
    truth, of_all = told.per_ask, _of_all(told)
    near = {"within 20 %": float((abs(slopes - truth) < 0.2 * abs(truth)).mean())} if truth else {}
    bias = {"mean off by": float(slopes.mean() / truth - 1)} if truth else {}
    return {
        "mean": float(slopes.mean()),
        **bias,
        "spread": float(slopes.std(ddof=1)),
        "standard error": float(errors.mean()),
        "covers": float((abs(slopes - truth) < Z * errors).mean()),
        "slope of all": of_all,
        "covers that of all": float((abs(kept * slopes - of_all) < Z * kept * errors).mean()),
        **near,
    }


def _fields(found: Any) -> dict[str, float]:
    return {name: getattr(found, name) for name in found.__slots__}


def _spread(rows: list[dict[str, Any]], name: str) -> dict[str, float]:
    values = [row[name] for row in rows]
    return {
        "least": round(min(values), 3),
        "mean": round(sum(values) / len(values), 3),
        "most": round(max(values), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2_000)
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--fatigue-runs", type=int, default=400)
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--json", type=Path)
    told = parser.parse_args()
    found = {
        "sampling": sizes(told.runs, told.seed),
        "fatigue": fatigue(told.fatigue_runs, told.customers, told.seed),
    }
    if told.json:
        told.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
