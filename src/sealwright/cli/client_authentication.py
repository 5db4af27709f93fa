"""The verb of `system oauth2` that says how a client authenticates: everything that belongs together is set at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from sealwright import strict_json
from sealwright.cli.commands import command
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.errors import WrongUsage
from sealwright.client_metadata import AUTHENTICATION_MEMBERS, rows

_METHODS = rows()["token_endpoint_auth_method"].choices
_ALGORITHMS = rows()["token_endpoint_auth_signing_alg"].choices
_OPTIONS = {
    "subject_dn": "tls_client_auth_subject_dn",
    "san_dns": "tls_client_auth_san_dns",
    "san_uri": "tls_client_auth_san_uri",
    "san_ip": "tls_client_auth_san_ip",
    "san_email": "tls_client_auth_san_email",
    "jwks_uri": "jwks_uri",
    "signing_alg": "token_endpoint_auth_signing_alg",
}


@command(
    "set-authentication",
    examples=[
        "sealwright system oauth2 set-authentication billing tls_client_auth --san-dns billing",
        "sealwright system oauth2 set-authentication billing private_key_jwt --jwks public-keys.json",
        "sealwright system oauth2 set-authentication wiki client_secret_basic",
    ],
)
@click.argument("name")
@click.argument("method", type=click.Choice(_METHODS))
@click.option("--subject-dn", metavar="DN", help="tls_client_auth: the subject of its certificate, such as CN=billing,O=Example.")
@click.option("--san-dns", metavar="NAME", help="tls_client_auth: a DNS name in its certificate.")
@click.option("--san-uri", metavar="URI", help="tls_client_auth: a URI in its certificate.")
@click.option("--san-ip", metavar="ADDRESS", help="tls_client_auth: an IP address in its certificate.")
@click.option("--san-email", metavar="MAIL", help="tls_client_auth: a mail address in its certificate.")
@click.option("--jwks", metavar="FILE", type=click.Path(path_type=Path), help="Its public keys, a JSON Web Key Set.")
@click.option("--jwks-uri", metavar="URL", help="Where its public keys are fetched from.")
@click.option("--signing-alg", type=click.Choice(_ALGORITHMS), help="What its assertions are signed with.")
@pass_context
def set_authentication(context: CommandContext, name: str, method: str, jwks: Path | None, **given: str | None) -> None:
    """Say how a client proves that it is this client. Any other way is refused from then on.

    With tls_client_auth, give exactly one of the names that its certificate has to have. A certificate that is renewed keeps
    its names, so the client goes on with it. What was set for another method is forgotten.
    """
    members: dict[str, Any] = dict.fromkeys(sorted(AUTHENTICATION_MEMBERS))
    members |= {_OPTIONS[option]: value for option, value in given.items()}
    members |= {"token_endpoint_auth_method": method, "jwks": None if jwks is None else _key_set(jwks)}
    changed = context.connection().call("PATCH", "oauth2", "clients", name, body=members)
    context.output.confirm(f"{name} authenticates by {method}")
    context.output.json(changed)


def _key_set(file: Path) -> Mapping[str, Any]:
    try:
        value = strict_json.loads(file.read_bytes())
    except OSError as cause:
        raise WrongUsage(f"{file} cannot be read: {cause.strerror}", hint="Give a file with a JSON Web Key Set.") from cause
    except strict_json.JsonRefused as cause:
        raise WrongUsage(f"{file} {cause}", hint="Give a file with a JSON Web Key Set.") from cause
    if not isinstance(value, dict):
        raise WrongUsage(f"{file} does not hold a JSON object", hint='Give a JSON Web Key Set: {"keys": [...]}.')
    return value
