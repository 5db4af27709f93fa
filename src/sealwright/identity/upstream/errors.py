"""Refusals about other identity providers."""

from __future__ import annotations

from sealwright.errors import Conflict, InvalidInput, NotFound, Refused
from sealwright.identity.upstream.models import ProviderCheck, RefusedSignOn


class ProviderNotFound(NotFound):
    """There is no such identity provider."""

    code = "oidc_provider_not_found"


class MappingNotFound(NotFound):
    """There is no such mapping of a group to a role."""

    code = "group_mapping_not_found"


class ProviderNameTaken(Conflict):
    """An identity provider of this name exists already."""

    code = "oidc_provider_name_taken"


class MappingTaken(Conflict):
    """The group is mapped to the role already."""

    code = "group_mapping_exists"


class ProviderInUse(Conflict):
    """People are signed in with the provider."""

    code = "oidc_provider_in_use"


class ProviderRefused(InvalidInput):
    """The provider cannot be used as it is described; the reasons name the checks that failed."""

    code = "oidc_provider_refused"
    checks: tuple[ProviderCheck, ...] = ()
    """Every check that was made, those that passed too."""

    @classmethod
    def after(cls, checks: tuple[ProviderCheck, ...]) -> ProviderRefused:
        """The refusal that names those of `checks` that failed."""
        failed = [each for each in checks if not each.passed]
        refusal = cls(failed[0].detail, reasons=tuple(f"{each.name}: {each.detail}" for each in failed))
        refusal.checks = checks
        return refusal


class SignInNotFound(NotFound):
    """There is no record of such a sign-in with a provider."""

    code = "sign_in_not_found"


class SignOnRefused(Refused):
    """A sign-in with an identity provider is not accepted."""

    code = "sign_on_refused"

    def __init__(self, reason: RefusedSignOn, detail: str, *, groups: tuple[str, ...] = (), hint: str = "") -> None:
        """`groups`: those that the provider named, where none of them gives a role."""
        super().__init__(detail, reasons=(f"the check that failed is {reason}",), hint=hint)
        self.reason = reason
        self.groups = groups
        self.sign_in_id = ""
        """Under which the record of it is found; empty where nothing is kept, as no provider was known."""
