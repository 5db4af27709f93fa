"""The last credential that a policy asks for is not removed by its owner: the next sign-in would only add it again."""

from __future__ import annotations

from sealwright.db import Transaction
from sealwright.identity import store as credential_store
from sealwright.identity.account_policy import store
from sealwright.identity.account_policy.models import CredentialMinimum
from sealwright.identity.errors import CredentialAsked
from sealwright.identity.models import CredentialKind


async def require_still_enough(tx: Transaction, account_id: str, *, passkeys: int) -> None:
    """Raise CredentialAsked where the account is left without what its groups ask for. Called after the removal.

    `passkeys`: how many the account has.
    """
    policy = await store.of_account(tx, account_id)
    if policy.minimum is CredentialMinimum.ANY or passkeys:
        return
    held = await credential_store.credentials_of(tx, account_id)
    if policy.minimum is CredentialMinimum.MFA and any(each.kind is CredentialKind.TOTP for each in held):
        return
    raise CredentialAsked(
        "This is the last credential of its kind that you have.",
        reasons=(f"the group {policy.asked_by} asks its members for {policy.minimum.words}",),
        hint="Add another one first.",
    )
