"""Everything that the API does, a command does: a table of both, with the reasons where there is no command."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import click

import sealwright.cli
from sealwright.api import operations
from sealwright.cli.program import tree
from tests.unit.api.world import server_world

CLI = Path(sealwright.cli.__file__).parent
OAUTH2 = "system oauth2"
COMMANDS = {
    "list_audit_sinks": "audit sink list",
    "login": "login",
    "login_code": "login",
    "logout": "logout",
    "reauth": "reauth",
    "reauth_code": "reauth",
    "whoami": "whoami",
    "list_sessions": "session list",
    "end_session": "session end",
    "end_sessions": "session end-all",
    "list_api_keys": "key list",
    "create_api_key": "key create",
    "get_api_key": "key show",
    "rotate_api_key": "key rotate",
    "narrow_api_key": "key narrow",
    "revoke_api_key": "key revoke",
    "list_persons": "person list",
    "create_person": "person create",
    "get_person": "person get",
    "update_person": "person update",
    "delete_person": "person delete",
    "set_validity": "person validity expire-at",
    "disable_person": "person disable",
    "enable_person": "person enable",
    "set_password": "person set-password",
    "get_credentials": "person credential status",
    "remove_second_factors": "person credential remove-second-factors",
    "get_profile": "person profile",
    "update_profile": "person update",
    "add_ssh_key": "person ssh add-publickey",
    "delete_ssh_key": "person ssh delete-publickey",
    "set_mail_verification": "person verify-mail",
    "begin_import": "person import",
    "add_to_import": "person import",
    "finish_import": "person import",
    "cancel_import": "person import",
    "invite_person": "person invite",
    "create_reset_link": "person credential create-reset-token",
    "get_person_impact": "person delete",
    "list_service_accounts": "service-account list",
    "create_service_account": "service-account create",
    "get_service_account": "service-account get",
    "update_service_account": "service-account update",
    "delete_service_account": "service-account delete",
    "set_service_account_validity": "service-account validity expire-at",
    "disable_service_account": "service-account disable",
    "enable_service_account": "service-account enable",
    "list_api_tokens": "service-account api-token status",
    "create_api_token": "service-account api-token generate",
    "revoke_api_token": "service-account api-token destroy",
    "list_groups": "group list",
    "create_group": "group create",
    "get_group": "group get",
    "update_group": "group rename",
    "delete_group": "group delete",
    "change_members": "group add-members",
    "set_members": "group set-members",
    "get_group_impact": "group delete",
    "get_account_policy": "group account-policy show",
    "set_account_policy": "group account-policy auth-expiry",
    "delete_account_policy": "group account-policy disable",
    "list_oidc_providers": "oidc-provider list",
    "create_oidc_provider": "oidc-provider create",
    "register_own_oidc_provider": "oidc-provider register-own",
    "test_oidc_provider": "oidc-provider test",
    "get_oidc_provider": "oidc-provider get",
    "update_oidc_provider": "oidc-provider update",
    "delete_oidc_provider": "oidc-provider delete",
    "refresh_oidc_provider": "oidc-provider refresh",
    "get_oidc_provider_key_status": "oidc-provider key-status",
    "list_group_mappings": "oidc-provider mappings",
    "add_group_mapping": "oidc-provider map-group",
    "remove_group_mapping": "oidc-provider unmap-group",
    "list_provider_sign_ins": "oidc-provider sign-ins",
    "explain_provider_sign_in": "oidc-provider explain",
    "list_deleted_persons": "recycle-bin list",
    "list_deleted_groups": "recycle-bin list",
    "get_deleted_person": "recycle-bin get",
    "get_deleted_group": "recycle-bin get",
    "revive_person": "recycle-bin revive",
    "revive_group": "recycle-bin revive",
    "list_permissions": "role permissions",
    "list_roles": "role list",
    "create_role": "role create",
    "get_role": "role get",
    "update_role": "role update",
    "delete_role": "role delete",
    "list_grants": "role grants",
    "grant_role": "role grant",
    "withdraw_grant": "role withdraw",
    "list_clients": f"{OAUTH2} list",
    "create_client": f"{OAUTH2} create",
    "get_client": f"{OAUTH2} get",
    "update_client": f"{OAUTH2} set-displayname",
    "rename_client": f"{OAUTH2} set-name",
    "delete_client": f"{OAUTH2} delete",
    "get_client_impact": f"{OAUTH2} delete",
    "add_to_redirect_uris": f"{OAUTH2} add-redirect-url",
    "remove_from_redirect_uris": f"{OAUTH2} remove-redirect-url",
    "add_to_resources": f"{OAUTH2} add-resource",
    "remove_from_resources": f"{OAUTH2} remove-resource",
    "add_to_authorization_details_types": f"{OAUTH2} add-details-type",
    "remove_from_authorization_details_types": f"{OAUTH2} remove-details-type",
    "add_to_own_resources": f"{OAUTH2} add-own-resource",
    "remove_from_own_resources": f"{OAUTH2} remove-own-resource",
    "add_to_own_groups": f"{OAUTH2} add-own-group",
    "remove_from_own_groups": f"{OAUTH2} remove-own-group",
    "add_to_grant_types": f"{OAUTH2} enable-device-flow",
    "remove_from_grant_types": f"{OAUTH2} disable-device-flow",
    "add_to_post_logout_redirect_uris": f"{OAUTH2} add-post-logout-redirect-url",
    "remove_from_post_logout_redirect_uris": f"{OAUTH2} remove-post-logout-redirect-url",
    "set_scope_map": f"{OAUTH2} update-scope-map",
    "delete_scope_map": f"{OAUTH2} delete-scope-map",
    "set_implicit_scopes": f"{OAUTH2} set-implicit-scopes",
    "set_supplementary_scope_map": f"{OAUTH2} update-sup-scope-map",
    "delete_supplementary_scope_map": f"{OAUTH2} delete-sup-scope-map",
    "set_claim_map": f"{OAUTH2} update-claim-map",
    "delete_claim_map": f"{OAUTH2} delete-claim-map",
    "set_claim_join": f"{OAUTH2} update-claim-map-join",
    "show_client_secret": f"{OAUTH2} show-basic-secret",
    "reset_client_secret": f"{OAUTH2} reset-basic-secret",
    "reset_client_secrets": f"{OAUTH2} reset-secrets",
    "list_client_keys": f"{OAUTH2} get",
    "rotate_client_keys": f"{OAUTH2} rotate-cryptographic-keys",
    "revoke_client_key": f"{OAUTH2} revoke-cryptographic-key",
    "set_client_image": f"{OAUTH2} set-image",
    "remove_client_image": f"{OAUTH2} remove-image",
    "set_client_issuer": f"{OAUTH2} set-issuer",
    "list_issuers": f"{OAUTH2} issuer list",
    "create_issuer": f"{OAUTH2} issuer create",
    "get_issuer": f"{OAUTH2} issuer get",
    "delete_issuer": f"{OAUTH2} issuer delete",
    "list_issuer_keys": f"{OAUTH2} issuer get",
    "rotate_issuer_keys": f"{OAUTH2} issuer rotate-keys",
    "revoke_issuer_key": f"{OAUTH2} issuer revoke-key",
    "create_registration_token": f"{OAUTH2} registration-token create",
    "list_registration_tokens": f"{OAUTH2} registration-token list",
    "delete_registration_token": f"{OAUTH2} registration-token delete",
    "list_trusted_issuers": f"{OAUTH2} trusted-issuer list",
    "create_trusted_issuer": f"{OAUTH2} trusted-issuer create",
    "get_trusted_issuer": f"{OAUTH2} trusted-issuer get",
    "update_trusted_issuer": f"{OAUTH2} trusted-issuer update",
    "update_trusted_issuer_rule": f"{OAUTH2} trusted-issuer update-rule",
    "delete_trusted_issuer": f"{OAUTH2} trusted-issuer delete",
    "add_trusted_issuer_rule": f"{OAUTH2} trusted-issuer add-rule",
    "explain_assertion": f"{OAUTH2} trusted-issuer explain",
    "delete_trusted_issuer_rule": f"{OAUTH2} trusted-issuer delete-rule",
    "list_certificate_profiles": "profile list",
    "create_certificate_profile": "profile create",
    "get_certificate_profile": "profile get",
    "update_certificate_profile": "profile update",
    "delete_certificate_profile": "profile delete",
    "list_provisioners": "provisioner list",
    "add_provisioner": "provisioner add",
    "get_provisioner": "provisioner get",
    "remove_provisioner": "provisioner remove",
    "get_provisioner_impact": "provisioner remove",
    "list_certificates": "certificate list",
    "get_certificate": "certificate show",
    "revoke_certificate": "certificate revoke",
    "preview_certificate": "certificate preview",
    "list_approvals": "approval list",
    "get_approval": "approval show",
    "approve_request": "approval approve",
    "reject_request": "approval reject",
    "withdraw_request": "approval withdraw",
    "list_approval_rules": "approval rules",
    "set_approval_rule": "approval set-rule",
    "remove_approval_rule": "approval remove-rule",
    "apply_manifest": "apply",
    "export_manifest": "export",
    "list_events": "audit list",
    "follow_events": "audit follow",
    "export_events": "audit export",
    "export_events_as_csv": "audit export",
    "export_chains": "audit export",
    "list_audit_keys": "audit keys",
    "version": "root",
}
"""Operation → the command that calls it, or the first of several."""
WITHOUT_COMMAND = {
    "auth_info": "for sign-in pages of browsers",
    "sign_out_browser": "for scripts in pages; a terminal signs out with `logout`",
    "openapi": "describes the API to programs",
    "get_bootstrap": "for whoever sets a new server up; on its machine the log of `serve` prints a link",
    "bootstrap": "spends a token that a new server was given by its settings, before anyone can sign in",
    "read_metrics": "read by Prometheus",
    "read_readiness": "asked by whatever balances the load; on the server's machine `doctor` says more",
    "issue_certificate": "a terminal issues by the wire that `step` speaks: `certificate issue`",
}


def leaves(command, context, path=()):
    if not isinstance(command, click.Group):
        yield " ".join(path)
        return
    for name in command.list_commands(context):
        yield from leaves(command.get_command(context, name), context, (*path, name))


@cache
def texts():
    """The texts of each module of the terminal, by which it calls the API."""
    found = {}
    for path in CLI.glob("*.py"):
        constants = (node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant))
        found[path.stem] = {part for text in constants if isinstance(text, str) for part in text.split("/")}
    return found


def is_called(operation):
    """Whether a module of the terminal names the method and every fixed part of the path."""
    needed = {operation.method, *(part for part in operation.path.split("/") if part and "{" not in part)}
    return any(needed <= names for names in texts().values())


async def test_every_operation_has_a_command_or_a_reason_why_not():
    async with server_world() as world:
        found = operations(world.api_dependencies)
    known = {each.name for each in found}
    assert COMMANDS.keys() | WITHOUT_COMMAND.keys() <= known
    assert not COMMANDS.keys() & WITHOUT_COMMAND.keys()
    others = [each for each in found if each.name not in COMMANDS.keys() | WITHOUT_COMMAND.keys()]
    assert [each.name for each in others if not is_called(each)] == []


def test_every_command_of_the_table_exists():
    assert set(COMMANDS.values()) <= set(leaves(tree(), click.Context(tree())))
