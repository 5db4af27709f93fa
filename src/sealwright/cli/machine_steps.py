"""What `sealwright machine` does, each step one call over a public wire."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sealwright.cli.context import CommandContext
from sealwright.cli.errors import CommandFailed, RefusedByServer, Unreachable, ValueRefused
from sealwright.cli.https import Answer, Transport, send
from sealwright.cli.key_pair import names_of, new_leaf_key, signing_request
from sealwright.cli.machine_files import MachineFiles
from sealwright.cli.server_address import tls_context
from sealwright.cli.step_wire import Authority
from sealwright.cli.vouch import Voucher, VouchOptions, choose, vouched

_METADATA = "/.well-known/openid-configuration"
_SUPERSEDED = 4
"""RFC 5280, section 5.3.1."""
_FORM = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}


def certify(
    context: CommandContext,
    authority: Authority,
    files: MachineFiles,
    name: str,
    token: str | None,
    by_password: tuple[str | None, str | None],
) -> x509.Certificate:
    """The first certificate, for a token or by the password of a provisioner."""
    provisioner, password_file = by_password
    with ExitStack() as until_shown:
        if token is not None:
            voucher = Voucher(token, name, (name,), name, lambda _: None)
        else:
            definition = choose(context, authority.provisioners(), provisioner, by_password=True)
            voucher = vouched(context, authority, definition, VouchOptions(name, (), password_file, browser=False), until_shown)
        key = new_leaf_key("EC", None, None)
        csr = signing_request(key, voucher.common_name, voucher.names).public_bytes(Encoding.PEM).decode()
        files.keep_root(authority.roots_pem)
        return files.keep_identity(authority.sign(csr, voucher.token).pem, key)


def register(
    context: CommandContext, authority: Authority, files: MachineFiles, certificate: x509.Certificate, token: str
) -> dict[str, Any]:
    """A client that the certificate proves by its first DNS name, and whose tokens are bound to it (RFC 7591)."""
    transport = context.dependencies.transport(tls_context(authority.roots_pem))
    metadata = _answered(send(transport, "GET", authority.url + _METADATA), HTTPStatus.OK)
    endpoint = metadata.get("registration_endpoint")
    if not isinstance(endpoint, str):
        raise CommandFailed(
            f"no client can register at {authority.url}.",
            hint="An administrator opens it: sealwright system oauth2 issuer create main --root",
        )
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    dns = names.get_values_for_type(x509.DNSName)
    if not dns:
        raise CommandFailed(f"the certificate has no DNS name, but {', '.join(names_of(certificate))}. Enrol with a DNS name.")
    wanted = {
        "client_name": dns[0],
        "redirect_uris": [],
        "response_types": [],
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "tls_client_auth",
        "tls_client_auth_san_dns": dns[0],
        "tls_client_certificate_bound_access_tokens": True,
    }
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    answer = send(transport, "POST", endpoint, headers=headers, content=json.dumps(wanted).encode())
    told = _answered(answer, HTTPStatus.CREATED) | {"authority": authority.url, "token_endpoint": _token_endpoint(metadata)}
    files.keep_client(told)
    return told


def ask_for_token(
    context: CommandContext, files: MachineFiles, scopes: Sequence[str], resources: Sequence[str]
) -> dict[str, Any]:
    """A token for the client itself, asked for with its certificate."""
    client = files.registered()
    form = [("grant_type", "client_credentials"), ("client_id", str(client["client_id"]))]
    form += [("scope", " ".join(scopes))] if scopes else []
    form += [("resource", each) for each in resources]
    content = urlencode(form).encode()
    answer = send(_with_certificate(context, files), "POST", client["token_endpoint"], headers=_FORM, content=content)
    return _answered(answer, HTTPStatus.OK)


def replace_certificate(context: CommandContext, files: MachineFiles, *, revoke_old: bool) -> x509.Certificate:
    """The same names for a new key; the old certificate proves who asks, and that it is to be revoked."""
    old, authority = files.certificate(), _authority(context, files)
    key = new_leaf_key("EC", None, None)
    csr = signing_request(key, "", ()).public_bytes(Encoding.PEM).decode()
    made = files.keep_identity(authority.rekey(csr).pem, key)
    if revoke_old:
        authority.revoke(str(old.serial_number), _SUPERSEDED, "the machine has another certificate")
    return made


def end_certificate(context: CommandContext, files: MachineFiles) -> None:
    """Have the certificate revoked, which it proves itself, unless it has ended already; its key goes with it."""
    held = files.certificate()
    if held.not_valid_after_utc > context.dependencies.now():
        try:
            _authority(context, files).revoke(str(held.serial_number), 0, "the machine revoked it")
        except ValueRefused as refusal:
            if "revoked before" not in refusal.detail:  # the wire has no code for it
                raise
    files.forget_identity()


def unregister(context: CommandContext, files: MachineFiles) -> None:
    """Delete the client (RFC 7592), with the token that it was told when it registered."""
    client = files.registered()
    transport = context.dependencies.transport(tls_context(files.roots_pem()))
    headers = {"authorization": f"Bearer {client['registration_access_token']}"}
    answer = send(transport, "DELETE", client["registration_client_uri"], headers=headers)
    if answer.status != HTTPStatus.NO_CONTENT:
        _answered(answer, HTTPStatus.NO_CONTENT)
    files.forget_client()


def _authority(context: CommandContext, files: MachineFiles) -> Authority:
    files.certificate()
    url = str(files.registered()["authority"])
    return Authority(url, files.roots_pem(), context.dependencies, (files.identity, files.identity))


def _with_certificate(context: CommandContext, files: MachineFiles) -> Transport:
    files.certificate()
    tls = tls_context(files.roots_pem())
    try:
        tls.load_cert_chain(files.identity, password="")
    except (OSError, ValueError) as cause:  # SSLError is an OSError
        raise CommandFailed(f"{files.identity} holds no certificate with its key.") from cause
    return context.dependencies.transport(tls)


def _token_endpoint(metadata: dict[str, Any]) -> str:
    """The one that asks for a certificate (RFC 8705, section 5)."""
    aliases = metadata.get("mtls_endpoint_aliases")
    found = (aliases if isinstance(aliases, dict) else metadata).get("token_endpoint")
    if not isinstance(found, str):
        raise Unreachable("the metadata of the server name no token endpoint.")
    return found


def _answered(answer: Answer, expected: HTTPStatus) -> dict[str, Any]:
    try:
        found = json.loads(answer.body or b"{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Unreachable(f"what came with status {answer.status} is not JSON.")
    if answer.status != expected:
        said = found.get("error_description") or found.get("detail") or found.get("message") or f"status {answer.status}"
        raise RefusedByServer(str(said), kind=str(found.get("error") or found.get("code") or "refused"))
    return found
