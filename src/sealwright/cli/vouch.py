"""Who vouches for a request for a certificate, and the token that says so: by a sign-in in a browser, or by a password."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl

import click
from cryptography.hazmat.primitives.serialization import Encoding

from sealwright.cli.context import CommandContext
from sealwright.cli.errors import CommandFailed, Missing, Unreachable, WrongUsage
from sealwright.cli.key_pair import read_certificates
from sealwright.cli.return_page import STOPPED, Page
from sealwright.cli.step_wire import Authority
from sealwright.errors import Failure, as_sentence

if TYPE_CHECKING:
    from sealwright.cli.browser_sign_in import Attempt
    from sealwright.cli.dependencies import BrowserReturn

SUPPORTED = ("OIDC", "JWK")
_TOKEN_SECONDS = 300
_LOOK_SECONDS = 0.25


class VouchOptions(NamedTuple):
    """The options of a command that decide who vouches, and how they are asked."""

    subject: str | None
    names: tuple[str, ...]
    provisioner_password_file: str | None
    browser: bool


class Voucher(NamedTuple):
    """A token that speaks for the request, and what it lets the request say."""

    token: str
    common_name: str
    names: tuple[str, ...]
    file_name: str
    """What the files are called when nothing else was said."""
    tell: Callable[[Page], None]
    """Shows a page where the person signed in."""


def choose(
    context: CommandContext, definitions: Sequence[Mapping[str, Any]], name: str | None, *, by_password: bool
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
    if not context.output.asks():
        raise WrongUsage("there are several provisioners.", hint=f"Name one with --provisioner: {known}.")
    for number, each in enumerate(usable, 1):
        context.output.note(f"  {number}  {each['name']} ({each['type']})")
    return usable[click.prompt("Which provisioner", type=click.IntRange(1, len(usable)), err=True) - 1]


def vouched(
    context: CommandContext, authority: Authority, definition: Mapping[str, Any], options: VouchOptions, until_shown: ExitStack
) -> Voucher:
    """A token by the provisioner. A browser that came back waits for its page until `until_shown` ends."""
    if definition["type"].upper() == "JWK":
        return _by_password(context, authority, definition, options)
    return _by_browser(context, authority, definition, options, until_shown)


def _by_browser(
    context: CommandContext, authority: Authority, definition: Mapping[str, Any], options: VouchOptions, until_shown: ExitStack
) -> Voucher:
    """An ID token of the provisioner's provider."""
    from sealwright.cli import browser_sign_in as oidc
    from sealwright.cli.server_address import tls_context

    try:
        client = oidc.OidcClient.from_provisioner(definition)
    except KeyError as cause:
        raise Unreachable(f"the provisioner {definition['name']} has no {cause.args[0]}.") from cause
    transport = context.dependencies.transport(tls_context(authority.roots_pem, and_system=True))
    provider = oidc.discover(transport, client)
    loopback = until_shown.enter_context(context.dependencies.listen(client.listen_host, client.listen_port))
    until_shown.enter_context(_failures_shown(loopback))
    attempt = oidc.begin(provider, client, loopback.port, context.dependencies.random)
    loopback.wait(attempt.is_answer, 0)  # from now on its answer is known, however fast the browser is
    answer = _answer(context, loopback, attempt, opened=_open(context, attempt.address, options.browser))
    token = oidc.redeem(transport, attempt, attempt.code(answer))
    claims = attempt.check(token, context.dependencies.now())
    common_name, names = names_for(claims, options.subject, options.names)
    who = str(claims.get("email") or claims.get("preferred_username") or claims["sub"])
    context.output.note(f"Signed in as {who}. Asking for the certificate…")
    return Voucher(token, common_name, names, who, loopback.show)


@contextmanager
def _failures_shown(loopback: BrowserReturn) -> Iterator[None]:
    """The page in the browser does not promise what the terminal refuses."""
    try:
        yield
    except Failure as failure:
        loopback.show(
            Page(
                "No certificate", f"{as_sentence(failure.detail)} The terminal says more. You can close this window.", good=False
            )
        )
        raise
    except BaseException:
        loopback.show(STOPPED)
        raise


def _open(context: CommandContext, address: str, browser: bool) -> bool:
    """Whether a browser was opened on this machine; else the address is printed, for a browser wherever the person is."""
    output = context.output
    wanted = browser and context.dependencies.environ.get("STEP_OPEN_BROWSER") not in ("0", "false")
    if wanted and context.dependencies.open_browser(address):
        origin = "/".join(address.split("/", 3)[:3])
        output.note(f"Opened {origin} in your browser (or open it yourself: {address})")
        return True
    if output.asks():
        output.note(f"Open this address in a browser, on this machine or on another, and sign in:\n{address}")
    else:
        output.note(f"Open this address in your browser to sign in:\n{address}")
    return False


def _answer(context: CommandContext, loopback: BrowserReturn, attempt: Attempt, *, opened: bool) -> dict[str, str]:
    """What the browser brought back, or a person copied from it."""
    from sealwright.cli import browser_sign_in as oidc

    output = context.output
    may_paste = output.asks() and not opened
    seconds = oidc.WAIT_FOR_PASTE_SECONDS if may_paste else oidc.WAIT_SECONDS
    minutes = f"{seconds / 60:.0f} minutes"
    if may_paste:
        output.note(f"Afterwards the browser goes to {attempt.redirect_uri}. On this machine, that is all.")
        output.note("On another it finds nothing there: copy the whole address from its address bar, paste it here, press Enter.")
    output.note(f"Waiting for you to sign in, for {minutes}. Ctrl-C stops.")
    if not may_paste:
        answer = loopback.wait(attempt.is_answer, seconds)
        if answer is not None:
            return answer
    for _ in range(round(seconds / _LOOK_SECONDS) if may_paste else 0):
        answer = loopback.wait(attempt.is_answer, _LOOK_SECONDS)
        if answer is not None:
            return answer
        line = context.dependencies.typed_line(context.dependencies.stdin) if may_paste else None
        if line is not None:
            may_paste = line != ""  # the end of all input
            pasted = dict(parse_qsl(line.strip().partition("?")[2]))
            if attempt.is_answer(pasted):
                return pasted
            if line.strip():
                output.note(f"That is not the address of this sign-in. It begins with {attempt.redirect_uri} and holds state=…")
    raise CommandFailed(f"no one signed in within {minutes}.", hint="Run the command again when you are ready.")


def names_for(claims: Mapping[str, Any], subject: str | None, names: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Common name and names to ask for, as `step` does: without a wish the person's own, else what was asked for."""
    email, own = str(claims.get("email") or ""), str(claims["sub"])
    if names:
        return subject or own, names
    if subject is None or (email and subject.casefold() == email.casefold()):
        return own, tuple(filter(None, (email, f"{claims['iss']}#{own}")))
    return subject, (subject,)


def _by_password(context: CommandContext, authority: Authority, definition: Mapping[str, Any], options: VouchOptions) -> Voucher:
    """A token of our own, signed with the provisioner's key, which its password opens."""
    from sealwright.cli.provisioner_key import open_sealed
    from sealwright.jose import sign

    name = str(definition["name"])
    if options.subject is None:
        raise WrongUsage(f"the provisioner {name} needs to be told the name.", hint="Say it: sealwright certificate issue NAME")
    key_id = str((definition.get("key") or {}).get("kid") or "")
    sealed = str(definition.get("encryptedKey") or "") or authority.encrypted_key(key_id)
    prompt = f"Password of the provisioner {name}"
    password = context.password(options.provisioner_password_file, prompt, "--provisioner-password-file")
    now = int(context.dependencies.now().timestamp())
    names = options.names or (options.subject,)
    claims: dict[str, Any] = {
        "iss": name,
        "sub": options.subject,
        "aud": f"{authority.url}/1.0/sign",
        "sans": list(names),
        "iat": now,
        "nbf": now,
        "exp": now + _TOKEN_SECONDS,
        "jti": context.dependencies.random(32).hex(),
    }
    fingerprint = _only_root(authority.roots_pem)
    if fingerprint:
        claims["sha"] = fingerprint
    return Voucher(sign(open_sealed(sealed, password), claims), options.subject, names, options.subject, lambda _: None)


def _only_root(roots_pem: str) -> str:
    roots = read_certificates(roots_pem.encode(), Path("--ca"))
    return hashlib.sha256(roots[0].public_bytes(Encoding.DER)).hexdigest() if len(roots) == 1 else ""
