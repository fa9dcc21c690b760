"""Distances as rules of the surveys policy: those that keep arms apart, and one that was suggested."""

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import yaml

from heardback_ingest.domain.sampling.arms import ARM, arm_name
from heardback_ingest.domain.surveys.policy import Rule, SurveysPolicy
from heardback_ingest.domain.surveys.windows import Rolling
from heardback_shared.policies.reading import PolicyError, content_of

RULE = "bearable-gap"
_END = re.compile(r"[^A-Za-z0-9._-]")


def unruled(policy: SurveysPolicy, gaps: Iterable[int]) -> list[int]:
    """The gaps for which the policy has no rule that keeps an arm's customers at that distance."""

    def kept(rule: Rule, gap: int) -> bool:
        if not rule.gap or rule.window != Rolling(timedelta(days=gap)) or rule.same:
            return False
        return [(one.attribute, one.among) for one in rule.when] == [(ARM, frozenset({arm_name(gap)}))]

    return [gap for gap in gaps if not any(kept(rule, gap) for rule in policy.rules)]


def with_gap(text: str, days: int, outside: str) -> str:
    """The policy under a new name, in which customers whose arm is `outside` are asked at most every `days`
    days.

    Customers in other arms keep theirs, so that the experiment can tell what the rule does. What the text
    says besides stays as it is written. Raises PolicyError where it is no such policy.
    """
    before = content_of(text)
    if not isinstance(before, dict) or not isinstance(before.get("rules"), list):
        raise PolicyError("the policy has no list of rules")
    name = f"{before['policy'].split('@')[0]}@{_version(before['policy'])}-gap{days}"
    rule: dict[str, Any] = {"name": RULE, "gap": {"rolling": f"{days}d"}, "when": {ARM: {"equals": outside}}}
    rules = [rule if one.get("name") == RULE else one for one in before["rules"]]
    if rule not in rules:
        rules = [rule, *rules]
    wanted = {**before, "policy": name, "rules": rules}
    edited = _renamed(_ruled(text, rule), name)
    if _same(edited, wanted):
        return edited
    # Written in a way that cannot be edited line by line: the whole is written anew.
    return yaml.safe_dump(wanted, sort_keys=False, allow_unicode=True)


def _version(policy: str) -> str:
    """What follows the @, without what an earlier suggestion added."""
    return re.sub(r"-gap[0-9]+$", "", _END.sub("", policy.split("@", 1)[1]))


def _renamed(text: str, name: str) -> str:
    return re.sub(r"(?m)^policy:.*$", f"policy: {name}", text, count=1)


def _ruled(text: str, rule: dict[str, Any]) -> str:
    lines = yaml.safe_dump([rule], sort_keys=False).splitlines()
    own = re.search(rf"(?m)^( *)- name: {RULE} *$\n(?:^\1  .*$\n?)*", text)
    if own:
        return text[: own.start()] + "\n".join(own[1] + line for line in lines) + "\n" + text[own.end() :]
    return re.sub(r"(?m)^rules: *$", "\n".join(["rules:", *("  " + line for line in lines)]), text, count=1)


def _same(text: str, wanted: Any) -> bool:
    try:
        return bool(content_of(text) == wanted)
    except PolicyError:
        return False
