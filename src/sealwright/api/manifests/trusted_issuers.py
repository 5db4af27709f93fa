"""Trusted issuers and their rules, of a manifest."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from itertools import takewhile
from typing import Any

from sealwright.access import Actor
from sealwright.api.manifests.changes import Differences, difference
from sealwright.api.manifests.targets import Targets
from sealwright.errors import in_member
from sealwright.oauth import IssuerRule, TrustedIssuer
from sealwright.oauth.errors import TrustedIssuerUnknown

_KIND = "trusted_issuers"
_OF_A_RULE = ("client", "service_account", "conditions", "scopes", "lifetime_seconds")


class ManifestTrustedIssuers:
    """Issuers: listed, replaced, taken off the list. Rules that are not in an entry with `rules` are deleted, others stay."""

    def __init__(self, targets: Targets, actor: Actor) -> None:
        self._issuers = targets.trusted_issuers
        self._actor = actor

    async def current(self, name: str) -> dict[str, Any] | None:
        """What the server has of an issuer; None where there is none."""
        try:
            found = await self._issuers.get(name, actor=self._actor)
        except TrustedIssuerUnknown:
            return None
        return _entry(found.issuer, found.rules)

    async def entries(self, after: str, at_most: int) -> list[tuple[str, dict[str, Any]]]:
        """Names and entries of issuers after a name, by name."""
        found = [each.name for each in await self._issuers.list(actor=self._actor) if each.name > after][:at_most]
        shown = [(name, await self.current(name)) for name in found]
        return [(name, entry) for name, entry in shown if entry is not None]

    async def names(self) -> AsyncIterator[str]:
        """The names of all issuers."""
        for each in await self._issuers.list(actor=self._actor):
            yield each.name

    async def create(self, name: str, entry: Mapping[str, Any]) -> Differences:
        """List an issuer with its rules; returns its members."""
        await self._list(name, entry)
        await self._add(name, entry.get("rules", []))
        return {member: (None, value) for member, value in entry.items()}

    async def change(self, name: str, current: Mapping[str, Any], entry: Mapping[str, Any]) -> Differences:
        """Make an issuer what the entry says; returns what is different. With another URL it is listed anew."""
        held = {member: value for member, value in current.items() if member != "rules"}
        wanted = _given(entry)
        rules = current["rules"] if "rules" not in entry else [await self._as_held(each) for each in entry["rules"]]
        differs = difference(held, wanted)
        if "issuer_url" in differs:
            await self._issuers.delete(name, actor=self._actor)
            await self._list(name, {**held, **wanted})
            await self._add(name, rules)
        else:
            if differs:
                await self._issuers.update(name, **{member: wanted[member] for member in differs}, actor=self._actor)
            if rules != current["rules"]:
                await self._change_rules(name, rules)
        return differs | ({"rules": (current["rules"], rules)} if rules != current["rules"] else {})

    async def delete(self, name: str) -> None:
        """Trust an issuer no more."""
        await self._issuers.delete(name, actor=self._actor)

    async def _list(self, name: str, entry: Mapping[str, Any]) -> None:
        await self._issuers.create(
            name,
            entry.get("issuer_url", ""),
            audience=entry.get("audience"),
            jwks_uri=entry.get("jwks_uri"),
            jwks=entry.get("jwks"),
            reusable=entry.get("reusable", False),
            actor=self._actor,
        )

    async def _change_rules(self, name: str, wanted: list[dict[str, Any]]) -> None:
        """Change those at the beginning in their places that are for the same; the first that fits a token counts."""
        held = (await self._issuers.get(name, actor=self._actor)).rules
        alike = takewhile(lambda pair: _for_whom(_rule(pair[0])) == _for_whom(pair[1]), zip(held, wanted, strict=False))
        in_place = list(alike)
        for rule in held[len(in_place) :]:
            await self._issuers.delete_rule(name, rule.id, actor=self._actor)
        for number, (rule, entry) in enumerate(in_place):
            if _rule(rule) != entry:
                with in_member("rules", str(number)):
                    await self._change_rule(name, rule.id, entry)
        await self._add(name, wanted, len(in_place))

    async def _change_rule(self, name: str, rule_id: str, rule: Mapping[str, Any]) -> None:
        await self._issuers.update_rule(
            name,
            rule_id,
            conditions=rule["conditions"],
            scopes=tuple(rule["scopes"]),
            lifetime=timedelta(seconds=rule["lifetime_seconds"]),
            actor=self._actor,
        )

    async def _add(self, name: str, rules: list[dict[str, Any]], first: int = 0) -> None:
        """Those from `first` on, in their order."""
        for number, rule in enumerate(rules[first:], first):
            with in_member("rules", str(number)):
                await self._add_rule(name, rule)

    async def _add_rule(self, name: str, rule: Mapping[str, Any]) -> None:
        seconds = rule.get("lifetime_seconds")
        await self._issuers.add_rule(
            name,
            client=rule["client"],
            conditions=rule["conditions"],
            service_account=rule.get("service_account"),
            scopes=tuple(rule.get("scopes", ())),
            lifetime=None if seconds is None else timedelta(seconds=seconds),
            actor=self._actor,
        )

    async def _as_held(self, rule: Mapping[str, Any]) -> dict[str, Any]:
        """A rule of an entry with all its members."""
        usual: dict[str, Any] = {
            "service_account": None,
            "scopes": [],
            "lifetime_seconds": self._issuers.usual_lifetime // timedelta(seconds=1),
        }
        whole = {**usual, **{member: value for member, value in rule.items() if value is not None}}
        return {member: whole[member] for member in _OF_A_RULE}


def _given(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Members of an entry but its rules. One source of keys takes the place of the other; no audience is none that is changed."""
    others = {"jwks": "jwks_uri", "jwks_uri": "jwks"}
    replaced = {others[member]: None for member in others if entry.get(member) is not None}
    given = {member: value for member, value in entry.items() if member != "rules" and (member, value) != ("audience", None)}
    return replaced | given


def _entry(issuer: TrustedIssuer, rules: list[IssuerRule]) -> dict[str, Any]:
    return {
        "issuer_url": issuer.issuer_url,
        "audience": issuer.audience,
        "jwks_uri": issuer.jwks_uri,
        "jwks": None if issuer.jwks is None else dict(issuer.jwks),
        "reusable": issuer.reusable,
        "rules": [_rule(each) for each in rules],
    }


def _for_whom(rule: Mapping[str, Any]) -> tuple[str, str | None]:
    """What cannot be changed of a rule."""
    return rule["client"], rule["service_account"]


def _rule(rule: IssuerRule) -> dict[str, Any]:
    return {
        "client": rule.client_name,
        "service_account": rule.account_name,
        "conditions": dict(rule.conditions),
        "scopes": list(rule.scopes),
        "lifetime_seconds": rule.lifetime // timedelta(seconds=1),
    }
