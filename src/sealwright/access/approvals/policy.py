"""Who may decide, and when it is enough. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sealwright.access.approvals.errors import RuleRefused
from sealwright.access.approvals.models import ApprovalRule, ApproverStatus, Tally, Vote, VoteDecision
from sealwright.confusables import hostile_character
from sealwright.errors import InvalidInput

LONGEST_COMMENT = 1_000
MOST_VOTES = 20
SHORTEST_EXPIRY, LONGEST_EXPIRY = 300, 90 * 86_400


def may_decide(status: ApproverStatus, rule: ApprovalRule) -> bool:
    """Whether someone is one of those whom a rule asks."""
    return status.active and (rule.group_id in status.groups or rule.role in status.roles)


def tally(
    rules: Iterable[ApprovalRule], votes: Iterable[Vote], statuses: Mapping[str, ApproverStatus], people: Iterable[str]
) -> list[Tally]:
    """How many of `votes` count for each rule now.

    A vote counts while the person who gave it is one of those whom the rule asks, and is not one of `people`, who ask.
    """
    asking = frozenset(people)
    voters = {each.account_id for each in votes if each.decision is VoteDecision.APPROVE} - asking
    return [Tally(rule, sum(may_decide(statuses[each], rule) for each in voters)) for rule in rules]


def rule_in_words(rule: ApprovalRule, group: str) -> str:
    """What a rule asks for; `group`: the name of its group."""
    whom = f"members of the group {group}" if rule.group_id is not None else f"people with the role {rule.role}"
    how_many = "one of the" if rule.votes == 1 else f"{rule.votes} of the"
    kind, _, name = rule.object.partition(":")
    return f"the {kind} {name} asks for the approval of {how_many} {whom}"


def check_comment(text: str) -> str:
    """A comment as it is kept, trimmed; what is too long, or deceives its reader, raises InvalidInput."""
    trimmed = text.replace("\r\n", "\n").strip()
    if len(trimmed) > LONGEST_COMMENT:
        raise InvalidInput(
            f"The comment has {len(trimmed)} characters; {LONGEST_COMMENT} are possible.", hint="Say it in fewer words."
        )
    hostile = hostile_character(trimmed.replace("\n", " "))
    if hostile is not None:
        raise InvalidInput(f"The comment holds {hostile}.", hint="Write it in plain text.")
    return trimmed


def check_rule(rule: ApprovalRule) -> None:
    """Raise RuleRefused for a rule that contradicts itself."""
    if (rule.group_id is None) is (rule.role is None):
        raise RuleRefused("A rule names whom it asks: a group or a role, one of the two.")
    if not 1 <= rule.votes <= MOST_VOTES:
        raise RuleRefused(f"votes is {rule.votes}; 1 to {MOST_VOTES} are possible.")
    if not SHORTEST_EXPIRY <= rule.expires_after <= LONGEST_EXPIRY:
        raise RuleRefused(f"expires_after is {rule.expires_after} seconds; {SHORTEST_EXPIRY} to {LONGEST_EXPIRY} are possible.")


def waiting_in_words(missing: Tally, group: str) -> str:
    """How far the votes go for a rule that is not satisfied yet."""
    return f"{rule_in_words(missing.rule, group)}; {missing.have} of {missing.rule.votes} are there"
