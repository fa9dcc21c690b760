"""A suggested distance as an edit of the surveys policy: one rule is put in or given another length."""

import re
from typing import Any

import yaml

from heardback_shared.policies.reading import PolicyError, content_of

RULE = "bearable-gap"
ARM = "customer.arm"
_END = re.compile(r"[^A-Za-z0-9._-]")


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
