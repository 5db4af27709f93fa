"""How `sealwright certificate issue` comes to a certificate: vouched for by a provisioner, over a key that never leaves here."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sealwright.cli.errors import CommandFailed, Missing, RefusedByServer, Unreachable, WrongUsage
from sealwright.cli.files import NewFile, already_there
from sealwright.cli.invocation import Invocation
from sealwright.cli.key_pair import LeafKey, new_leaf_key, private_pem, read_certificates, same_key, signing_request
from sealwright.cli.step_wire import Authority, Signed

SUPPORTED = ("OIDC", "JWK")
_TOKEN_SECONDS = 300
_UNFIT = re.compile(r"[^A-Za-z0-9._@+-]")


class Wish(NamedTuple):
    """What the user asked for."""

    subject: str | None
    names: tuple[str, ...]
    certificate_file: str | None
    key_file: str | None
    provisioner: str | None
    provisioner_password_file: str | None
    not_before: str
    not_after: str
    kind: str
    curve: str | None
    size: int | None
    browser: bool
    force: bool


class Voucher(NamedTuple):
    """A token that speaks for the request, and what it lets the request say."""

    token: str
    common_name: str
    names: tuple[str, ...]
    file_name: str
    """What the files are called when nothing else was said."""


class Obtained(NamedTuple):
    """A certificate on this machine."""

    certificate: x509.Certificate
    certificate_file: Path
    key_file: Path


def obtain(invocation: Invocation, authority: Authority, wish: Wish) -> Obtained:
    """Choose, sign in, ask, and write both files or neither."""
    if "" in (wish.subject, *wish.names):
        raise WrongUsage("a name for the certificate is empty.", hint="Leave SUBJECT out to get your own names.")
    early = _targets(wish, _base_name(wish.subject)) if wish.subject or wish.certificate_file else None
    if early and not wish.force:
        _refuse_to_overwrite(*early)
    by_password = wish.provisioner_password_file is not None
    definition = choose(invocation, authority.provisioners(), wish.provisioner, by_password=by_password)
    key = new_leaf_key(wish.kind, wish.curve, wish.size)
    vouch = _by_password if definition["type"].upper() == "JWK" else _by_browser
    voucher = vouch(invocation, authority, definition, wish)
    crt_file, key_file = early or _targets(wish, _base_name(voucher.file_name))
    if not early and not wish.force:
        _refuse_to_overwrite(crt_file, key_file)
    new_key = NewFile(key_file, private_pem(key))  # first, so that a full disk is found before anything is signed
    try:
        csr = signing_request(key, voucher.common_name, voucher.names)
        csr_pem = csr.public_bytes(Encoding.PEM).decode()
        signed = authority.sign(csr_pem, voucher.token, not_before=wish.not_before, not_after=wish.not_after)
        certificate = _checked(signed, key, authority)
        new_certificate = NewFile(crt_file, signed.pem)
        try:
            _place_both(new_key, new_certificate, key_file, replace=wish.force)
        finally:
            new_certificate.discard()
    finally:
        new_key.discard()
    return Obtained(certificate, crt_file, key_file)


def choose(
    invocation: Invocation, definitions: Sequence[Mapping[str, Any]], name: str | None, *, by_password: bool
) -> Mapping[str, Any]:
    """The provisioner of that name; without one the only one there is, or the only one of its type, or whichever is picked.

    `by_password`: the file with a password was given, which only the type JWK asks for.
    """
    usable = [each for each in definitions if str(each.get("type", "")).upper() in SUPPORTED]
    known = ", ".join(str(each["name"]) for each in usable) or "none"
    if name is not None:
        for each in usable:
            if each["name"] == name:
                return each
        raise Missing(f"there is no provisioner {name} that this command can use.", hint=f"There are: {known}.")
    if not usable:
        raise Missing(
            "the certificate authority has no provisioner that this command can use.",
            hint="An administrator adds one with: sealwright provisioner add NAME --type oidc …",
        )
    kind = "JWK" if by_password else "OIDC"
    likely = [each for each in usable if each["type"].upper() == kind]
    for few in (usable, likely):
        if len(few) == 1:
            return few[0]
    if not invocation.output.asks():
        raise WrongUsage("there are several provisioners.", hint=f"Name one with --provisioner: {known}.")
    for number, each in enumerate(usable, 1):
        invocation.output.note(f"  {number}  {each['name']} ({each['type']})")
    return usable[click.prompt("Which provisioner", type=click.IntRange(1, len(usable)), err=True) - 1]


def _by_browser(invocation: Invocation, authority: Authority, definition: Mapping[str, Any], wish: Wish) -> Voucher:
    """An ID token of the provisioner's provider."""
    from sealwright.cli import browser_sign_in as oidc
    from sealwright.cli.server_address import tls_context

    try:
        relying = oidc.Relying.from_provisioner(definition)
    except KeyError as cause:
        raise Unreachable(f"the provisioner {definition['name']} has no {cause.args[0]}.") from cause
    transport = invocation.surroundings.transport(tls_context(authority.roots_pem, and_system=True))
    provider = oidc.discover(transport, relying)
    with invocation.surroundings.listen(relying.listen_host, relying.listen_port) as loopback:
        attempt = oidc.begin(provider, relying, loopback.port, invocation.surroundings.random)
        _show(invocation, attempt.address, wish.browser)
        answer = loopback.wait(attempt.is_answer, oidc.WAIT_SECONDS)
    if answer is None:
        minutes = f"{oidc.WAIT_SECONDS / 60:.0f} minutes"
        raise CommandFailed(f"nobody signed in within {minutes}.", hint="Run the command again when you are ready.")
    token = oidc.redeem(transport, attempt, attempt.code(answer))
    claims = attempt.check(token, invocation.surroundings.now())
    common_name, names = names_for(claims, wish.subject, wish.names)
    return Voucher(token, common_name, names, str(claims.get("email") or claims.get("preferred_username") or claims["sub"]))


def names_for(claims: Mapping[str, Any], subject: str | None, names: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Common name and names to ask for, as `step` does: without a wish the person's own, else what was asked for."""
    email, own = str(claims.get("email") or ""), str(claims["sub"])
    if names:
        return subject or own, names
    if subject is None or (email and subject.casefold() == email.casefold()):
        return own, tuple(filter(None, (email, f"{claims['iss']}#{own}")))
    return subject, (subject,)


def _by_password(invocation: Invocation, authority: Authority, definition: Mapping[str, Any], wish: Wish) -> Voucher:
    """A token of our own, signed with the provisioner's key, which its password opens."""
    from sealwright.cli.provisioner_key import open_sealed

    name = str(definition["name"])
    if wish.subject is None:
        raise WrongUsage(f"the provisioner {name} needs to be told the name.", hint="Say it: sealwright certificate issue NAME")
    key_id = str((definition.get("key") or {}).get("kid") or "")
    sealed = str(definition.get("encryptedKey") or "") or authority.encrypted_key(key_id)
    prompt = f"Password of the provisioner {name}"
    password = invocation.password(wish.provisioner_password_file, prompt, "--provisioner-password-file")
    now = int(invocation.surroundings.now().timestamp())
    names = wish.names or (wish.subject,)
    claims: dict[str, Any] = {
        "iss": name,
        "sub": wish.subject,
        "aud": f"{authority.url}/1.0/sign",
        "sans": list(names),
        "iat": now,
        "nbf": now,
        "exp": now + _TOKEN_SECONDS,
        "jti": invocation.surroundings.random(32).hex(),
    }
    fingerprint = _only_root(authority.roots_pem)
    if fingerprint:
        claims["sha"] = fingerprint
    return Voucher(open_sealed(sealed, password).sign(claims), wish.subject, names, wish.subject)


def _only_root(roots_pem: str) -> str:
    roots = read_certificates(roots_pem.encode(), Path("--ca"))
    return hashlib.sha256(roots[0].public_bytes(Encoding.DER)).hexdigest() if len(roots) == 1 else ""


def _show(invocation: Invocation, address: str, browser: bool) -> None:
    wanted = browser and invocation.surroundings.environ.get("STEP_OPEN_BROWSER") not in ("0", "false")
    origin = "/".join(address.split("/", 3)[:3])
    if wanted and invocation.surroundings.open_browser(address):
        invocation.output.note(f"Opened {origin} in your browser (or open it yourself: {address})")
    else:
        invocation.output.note(f"Open this address in your browser to sign in:\n{address}")


def _checked(signed: Signed, key: LeafKey, authority: Authority) -> x509.Certificate:
    certificate = read_certificates(signed.pem, Path(authority.url))[0]
    if not same_key(certificate, key):
        raise RefusedByServer(f"{authority.url} answered with a certificate for another key. It was not kept.")
    return certificate


def _targets(wish: Wish, base: str) -> tuple[Path, Path]:
    crt = Path(wish.certificate_file) if wish.certificate_file else Path(f"{base}.crt")
    key = Path(wish.key_file) if wish.key_file else key_file_beside(crt)
    if crt == key:
        raise WrongUsage(f"the certificate and its key cannot both be {crt}.")
    return crt, key


def key_file_beside(certificate_file: Path) -> Path:
    """``alice.key`` for ``alice.crt``."""
    if certificate_file.suffix in (".crt", ".pem", ".cer", ".cert"):
        return certificate_file.with_suffix(".key")
    return certificate_file.with_name(f"{certificate_file.name}.key")


def _place_both(key: NewFile, certificate: NewFile, key_file: Path, *, replace: bool) -> None:
    key.place(replace=replace)
    try:
        certificate.place(replace=replace)
    except CommandFailed:
        if not replace:
            key_file.unlink(missing_ok=True)
        raise


def _refuse_to_overwrite(*files: Path) -> None:
    for file in files:
        if file.exists():
            raise already_there(file)


def _base_name(text: str | None) -> str:
    """A file name out of a certificate's name: ``alice`` of ``alice@example.org``, ``_.example.org`` of ``*.example.org``."""
    local = (text or "").partition("@")[0] or text or ""
    return _UNFIT.sub("_", local).lstrip(".-") or "certificate"
