"""`sealwright certificate issue`: a provisioner vouches for the names, and the private key never leaves this machine."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sealwright.cli.context import CommandContext
from sealwright.cli.errors import CommandFailed, RefusedByServer, Waiting, WrongUsage
from sealwright.cli.files import NewFile, already_there, read_bytes, require_writable
from sealwright.cli.formatting import listed, until
from sealwright.cli.key_pair import (
    LeafKey,
    new_leaf_key,
    private_pem,
    read_certificates,
    read_private_key,
    same_key,
    signing_request,
    title_of,
)
from sealwright.cli.return_page import Page
from sealwright.cli.step_wire import Authority, Signed
from sealwright.cli.vouch import Voucher, VouchOptions, choose, vouched

_UNFIT = re.compile(r"[^A-Za-z0-9._@+-]")


class IssueOptions(NamedTuple):
    """What the user asked for: the arguments and options of the command."""

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


class Obtained(NamedTuple):
    """A certificate on this machine."""

    certificate: x509.Certificate
    certificate_file: Path
    key_file: Path


def obtain(context: CommandContext, authority: Authority, options: IssueOptions) -> Obtained:
    """Choose, sign in, ask, and write both files or neither. What can be refused beforehand is, before anyone signs in."""
    if "" in (options.subject, *options.names):
        raise WrongUsage("a name for the certificate is empty.", hint="Leave SUBJECT out to get your own names.")
    early = _targets(options, _base_name(options.subject)) if options.subject or options.certificate_file else None
    if early and not options.force:
        _refuse_to_overwrite(*early)
    for directory in {file.parent for file in early} if early else {Path()}:
        require_writable(directory)
    by_password = options.provisioner_password_file is not None
    definition = choose(context, authority.provisioners(), options.provisioner, by_password=by_password)
    key = new_leaf_key(options.kind, options.curve, options.size)
    vouching = VouchOptions(options.subject, options.names, options.provisioner_password_file, options.browser)
    with ExitStack() as until_shown:
        voucher = vouched(context, authority, definition, vouching, until_shown)
        crt_file, key_file = early or _targets(options, _base_name(voucher.file_name))
        replace = options.force or (not early and _may_replace(context, crt_file, key_file))
        certificate = _certified(authority, voucher, key, options, crt_file, key_file, replace=replace)
        moment = until(certificate.not_valid_after_utc, context.dependencies.now())
        voucher.tell(Page(f"{title_of(certificate)} {moment}", f"It is in {crt_file}. You can close this window.", good=True))
    return Obtained(certificate, crt_file, key_file)


def _certified(
    authority: Authority, voucher: Voucher, key: LeafKey, options: IssueOptions, crt_file: Path, key_file: Path, *, replace: bool
) -> x509.Certificate:
    waiting = key_file.with_name(f"{key_file.name}.waiting")
    if waiting.exists():
        key = read_private_key(read_bytes(waiting), waiting)
    new_key = NewFile(key_file, private_pem(key))  # first, so that a full disk is found before anything is signed
    try:
        csr = signing_request(key, voucher.common_name, voucher.names)
        csr_pem = csr.public_bytes(Encoding.PEM).decode()
        try:
            signed = authority.sign(csr_pem, voucher.token, not_before=options.not_before, not_after=options.not_after)
        except Waiting:  # it waits for approval: the same key gets it later
            NewFile(waiting, private_pem(key)).place(replace=True)
            raise
        certificate = _checked(signed, key, authority)
        new_certificate = NewFile(crt_file, signed.pem)
        try:
            _place_both(new_key, new_certificate, key_file, replace=replace)
        finally:
            new_certificate.discard()
        waiting.unlink(missing_ok=True)
    finally:
        new_key.discard()
    return certificate


def _may_replace(context: CommandContext, *files: Path) -> bool:
    """Whether files whose names came with the sign-in may be replaced, where they are there: only a person can say."""
    there = [file for file in files if file.exists()]
    verb = "is" if len(there) == 1 else "are"
    if there and not context.output.confirmed(f"{listed(list(map(str, there)))} {verb} there already. Replace?"):
        raise already_there(there[0])
    return bool(there)


def _checked(signed: Signed, key: LeafKey, authority: Authority) -> x509.Certificate:
    certificate = read_certificates(signed.pem, Path(authority.url))[0]
    if not same_key(certificate, key):
        raise RefusedByServer(f"{authority.url} answered with a certificate for another key. It was not kept.")
    return certificate


def _targets(options: IssueOptions, base: str) -> tuple[Path, Path]:
    crt = Path(options.certificate_file) if options.certificate_file else Path(f"{base}.crt")
    key = Path(options.key_file) if options.key_file else key_file_beside(crt)
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
