"""Commands of Kanidm's terminal: each is here under its name, or on the list of those that are not."""

import click
import pytest

from sealwright.cli.program import tree

HERE = {
    "": "login reauth logout version",
    "session": "list",
    "recycle-bin": "list get revive",
    "group": """list get search create delete list-members set-members purge-members add-members remove-members set-description
        set-entry-manager rename""",
    "group account-policy": """enable auth-expiry credential-type-minimum password-minimum-length privilege-expiry
        reset-auth-expiry reset-password-minimum-length reset-privilege-expiry""",
    "person": "list get search create update delete",
    "person validity": "show expire-at begin-from",
    "person credential": "status create-reset-token send-reset-token",
    "person ssh": "list-publickeys add-publickey delete-publickey",
    "service-account": "list get create update delete",
    "service-account validity": "show expire-at begin-from",
    "service-account api-token": "status generate create destroy",
    "system oauth2": """list get create create-public update-scope-map create-scope-map delete-scope-map update-sup-scope-map
        create-sup-scope-map delete-sup-scope-map update-claim-map create-claim-map update-claim-map-join delete-claim-map
        reset-basic-secret show-basic-secret delete set-displayname set-name set-landing-url set-image remove-image
        set-refresh-token-expiry add-redirect-url remove-redirect-url enable-pkce warning-insecure-client-disable-pkce
        warning-enable-legacy-crypto disable-legacy-crypto enable-strict-redirect-url disable-strict-redirect-url
        enable-localhost-redirects disable-localhost-redirects prefer-short-username prefer-spn-username
        rotate-cryptographic-keys revoke-cryptographic-key enable-consent-prompt disable-consent-prompt device-flow-enable
        device-flow-disable set_implicit_scopes create_scope_map delete_scope_map reset_secrets reset-secrets set_displayname
        enable_pkce disable_legacy_crypto warning_enable_legacy_crypto warning_insecure_client_disable_pkce""",
}
NOT_HERE = {
    "": "self graph schema raw",
    "session": "cleanup",
    "group": "set-mail posix",
    "group account-policy": """webauthn-attestation-ca-list limit-search-max-results limit-search-max-filter-test
        allow-primary-cred-fallback""",
    "person": "session posix radius applications certificate",
    "person credential": "update use-reset-token softlock-reset",
    "service-account": "credential session ssh posix into-person",
    "system": "pw-badlist denied-names application domain sync message-queue api",
}


def paths(table):
    return [f"{group} {verb}".strip() for group, verbs in table.items() for verb in verbs.split()]


def found(path):
    place: click.Command | None = tree()
    context = click.Context(tree())
    for word in path.split():
        place = place.get_command(context, word) if isinstance(place, click.Group) else None
    return place


@pytest.mark.parametrize("path", paths(HERE))
def test_verb_of_kanidm_is_here_in_its_old_and_new_spelling(path):
    assert found(path) is not None


@pytest.mark.parametrize("path", paths(NOT_HERE))
def test_verb_of_kanidm_that_is_not_here_is_on_the_list(path):
    assert found(path) is None
