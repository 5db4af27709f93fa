"""May this certificate be issued? Pure: the facts come in, a decision with its reasons goes out.

Everything is judged on the values that will stand in the certificate, never on the fields of a request.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from sealwright.ca import names as naming
from sealwright.ca.errors import CertificateNameRefused, NameNotGranted, PublicKeyRefused, ValidityRefused
from sealwright.ca.models import (
    EVERY_CURVE,
    CertificateContents,
    CertificateRequest,
    Decision,
    Issuer,
    Name,
    NameType,
    Profile,
    SigningGrant,
)
from sealwright.ca.profiles import MOST_BACKDATE
from sealwright.ca.public_keys import strength_fault
from sealwright.ca.reserved import OwnNames
from sealwright.clock import Instant, after, before, between, in_words, to_rfc3339
from sealwright.confusables import shown
from sealwright.errors import Refused
from sealwright.rsa_strength import SHORTEST_RSA

FURTHEST_BEGINNING = timedelta(hours=48)
"""How far in the future a certificate may begin."""
MOST_SHOWN = 5
ONE_DAY = timedelta(days=1)
ONE_SECOND = timedelta(seconds=1)

_KINDS = {NameType.DNS: "DNS names", NameType.IP: "IP addresses", NameType.EMAIL: "e-mail addresses", NameType.URI: "URIs"}


def decide(
    grant: SigningGrant, request: CertificateRequest, profile: Profile, issuer: Issuer, now: Instant, *, own_names: OwnNames
) -> Decision:
    """Whether `grant` covers what `request` asks for, within `profile` and the life of `issuer`, beside the server's `own_names`.

    An allowed decision carries the final contents. A refused one carries the refusal, which names the value and the rule;
    nothing is shortened or left out in silence.
    """
    if grant.profile != profile.name:
        raise ValueError(f"the grant is for the profile {grant.profile}, not {profile.name}")
    try:
        _check_key(request, profile, issuer)
        common_name, names = _names(grant, request, profile)
        if not grant.for_this_server:
            own_names.require_others(names, common_name)
        not_before, not_after = _validity(grant, request, profile, issuer, now)
        how_long = _life_in_words(not_before, not_after, grant, profile)
    except Refused as refusal:
        return Decision(reasons=(*refusal.reasons, refusal.detail), refusal=refusal)
    wants_extension = profile.provisioner_extension and not grant.claims.disable_smallstep_extensions
    contents = CertificateContents(
        common_name=common_name,
        names=names,
        key_kind=request.key_kind,
        public_key_der=request.public_key_der,
        not_before=not_before,
        not_after=not_after,
        extension=grant.extension if wants_extension else None,
    )
    who = "an administrator may have any name" if grant.names_from_request else "these names are granted"
    reasons = (
        f"{_listed(names)}: {who} by {grant.provisioner_name}",
        f"the profile {profile.name} admits these kinds of names and a key of the kind {request.key_kind}",
        how_long,
    )
    return Decision(reasons=reasons, contents=contents)


def same_life(not_before: Instant, not_after: Instant, profile: Profile) -> timedelta:
    """What a renewal asks for as `not_after`, so that the new certificate lives exactly as long as the old one did."""
    return between(not_before, not_after) - _lead(profile)


# --- key -------------------------------------------------------------------------------------------------------------


def _check_key(request: CertificateRequest, profile: Profile, issuer: Issuer) -> None:
    if request.key_kind not in profile.key_kinds:
        raise PublicKeyRefused(
            f"A key of the kind {request.key_kind} is not admitted by the profile {profile.name}.",
            hint=f"Make a key of the kind {' or '.join(profile.key_kinds)}.",
        )
    if profile.shortest_rsa > SHORTEST_RSA or profile.curves != EVERY_CURVE:
        fault = strength_fault(request.public_key, profile)
        if fault:
            raise PublicKeyRefused(f"The profile {profile.name} does not admit this key: {fault}.", hint="Make a stronger key.")
    if request.public_key == issuer.public_key:
        raise PublicKeyRefused("The request holds the key of the issuer itself.")


# --- names -----------------------------------------------------------------------------------------------------------


def _names(grant: SigningGrant, request: CertificateRequest, profile: Profile) -> tuple[str, tuple[Name, ...]]:
    """Common name and names of the certificate."""
    if request.other_names:
        raise NameNotGranted(f"You may not have {shown(request.other_names[0])}: names of this kind are not issued.")
    if grant.names_from_request:
        common_name, wanted = _as_requested(grant, request)
    else:
        _refuse_what_is_not_granted(grant, request)
        common_name, wanted = grant.common_name, grant.names
    names = naming.canonical_all(wanted, at_most=profile.most_names)
    if not names:
        raise NameNotGranted("The certificate would have no name: none was requested, and none is granted.")
    _check_profile(names, profile)
    if not profile.common_name or not common_name:
        return "", names
    naming.common_name(common_name)
    if "*" in common_name and common_name.lower() not in {name.value for name in names}:
        raise CertificateNameRefused(f"The common name {shown(common_name)} is a wildcard that is not among the names.")
    return common_name, names


def _as_requested(grant: SigningGrant, request: CertificateRequest) -> tuple[str, tuple[Name, ...]]:
    """What an administrator of the provisioner asked for; where the request names nothing, what they are granted themselves."""
    if request.names:
        return request.common_name, request.names + request.subject_mails
    if request.common_name:
        return request.common_name, (naming.parse(request.common_name), *request.subject_mails)
    return grant.common_name, request.subject_mails or grant.names


def _refuse_what_is_not_granted(grant: SigningGrant, request: CertificateRequest) -> None:
    if request.names == grant.names and request.common_name in ("", grant.common_name) and not request.subject_mails:
        return  # the usual request, of exactly what is granted
    texts = {grant.common_name, *grant.may_ask_for, *(name.value for name in grant.names)}
    for name in request.names + request.subject_mails:
        if name.value not in texts and not any(naming.same(name, granted) for granted in grant.names):
            raise _not_granted(grant, name.value)
    asked = request.common_name
    if asked and asked not in texts:
        as_name = Name(naming.type_of(asked), asked)
        if not any(naming.same(as_name, granted) for granted in grant.names):
            raise _not_granted(grant, asked)
    if grant.must_match:
        _refuse_partial_sets(grant, request)


def _refuse_partial_sets(grant: SigningGrant, request: CertificateRequest) -> None:
    for kind in dict.fromkeys(name.type for name in request.names):
        granted = {name for name in grant.names if name.type is kind}
        asked = {naming.canonical(name) for name in request.names if name.type is kind}
        surplus = sorted(asked - granted)
        if surplus:
            raise _not_granted(grant, surplus[0].value)
        missing = sorted(granted - asked)
        if missing:
            absent = shown(missing[0].value)
            raise NameNotGranted(f"The request holds some of the {_KINDS[kind]} but not {absent}; ask for all of them or none.")


def _not_granted(grant: SigningGrant, refused: str) -> NameNotGranted:
    granted = _listed(grant.names) or "no name at all"
    return NameNotGranted(
        f"You may not have the name {shown(refused)}. You may have {granted}.",
        reasons=(f"the provisioner {grant.provisioner_name} grants {granted}",),
        hint="Leave the names out to get those that you may have, or ask an administrator of this certificate authority.",
    )


def _check_profile(names: tuple[Name, ...], profile: Profile) -> None:
    for name in names:
        if name.type not in profile.name_types:
            raise NameNotGranted(
                f"The name {shown(name.value)} cannot be certified: the profile {profile.name} has no {_KINDS[name.type]}."
            )
        if not profile.wildcards and name.value.startswith("*."):
            raise NameNotGranted(
                f"The name {shown(name.value)} cannot be certified: the profile {profile.name} has no wildcards."
            )


def _listed(names: Iterable[Name]) -> str:
    """``a, b and c``; of many, the first few and how many more."""
    everything = [shown(name.value) for name in names]
    few = everything[:MOST_SHOWN]
    if len(everything) > MOST_SHOWN:
        return f"{', '.join(few)} and {len(everything) - MOST_SHOWN} more"
    return f"{', '.join(few[:-1])} and {few[-1]}" if len(few) > 1 else "".join(few)


# --- validity --------------------------------------------------------------------------------------------------------


def _longest(grant: SigningGrant, profile: Profile) -> timedelta:
    """The longest life, from first to last second. Backdating comes on top, so that it takes nothing from the holder."""
    return min(grant.claims.longest, profile.longest) + profile.backdate


def _lead(profile: Profile) -> timedelta:
    """How long before now a certificate begins. A second is missing, because the last second of a validity counts too."""
    return max(profile.backdate - ONE_SECOND, timedelta(0))


def _second(instant: Instant) -> Instant:
    return Instant(instant // 1000 * 1000)


def _validity(
    grant: SigningGrant, request: CertificateRequest, profile: Profile, issuer: Issuer, now: Instant
) -> tuple[Instant, Instant]:
    present = _second(now)
    if request.not_before is None:
        start, not_before = present, before(present, _lead(profile))
    else:
        wanted = request.not_before
        start = not_before = _second(after(present, wanted) if isinstance(wanted, timedelta) else wanted)
    end = request.not_after
    if end is None:
        limit = issuer.not_after if grant.not_after is None else min(issuer.not_after, grant.not_after)
        not_after = _second(min(after(start, grant.claims.default), limit))
    else:
        not_after = _second(after(start, end) if isinstance(end, timedelta) else end)
    _check_beginning(not_before, present)
    _check_end(not_before, not_after, grant, issuer, present)
    return not_before, not_after


def _check_beginning(not_before: Instant, present: Instant) -> None:
    if not_before < before(present, MOST_BACKDATE):
        raise ValidityRefused(
            f"The certificate would begin at {to_rfc3339(not_before)}, more than {in_words(MOST_BACKDATE)} before now."
        )
    if not_before > after(present, FURTHEST_BEGINNING):
        raise ValidityRefused(
            f"The certificate would begin at {to_rfc3339(not_before)}, more than {in_words(FURTHEST_BEGINNING)} from now."
        )


def _check_end(not_before: Instant, not_after: Instant, grant: SigningGrant, issuer: Issuer, present: Instant) -> None:
    wrong = ""
    if not_after <= present:
        wrong = ", which is over"
    elif not_after <= not_before:
        wrong = f", before it begins at {to_rfc3339(not_before)}"
    elif not_after > issuer.not_after:
        wrong = f", after its issuer {issuer.name} at {to_rfc3339(issuer.not_after)}"
    elif grant.not_after is not None and not_after > grant.not_after:
        wrong = f"; what you showed is valid until {to_rfc3339(grant.not_after)}"
    if wrong:
        raise ValidityRefused(f"The certificate would end at {to_rfc3339(not_after)}{wrong}.")
    if issuer.not_before > present:
        raise ValidityRefused(
            f"The issuer {issuer.name} is valid from {to_rfc3339(issuer.not_before)} on, which is still to come."
        )


def _life_in_words(not_before: Instant, not_after: Instant, grant: SigningGrant, profile: Profile) -> str:
    """Why a certificate may live as long as it would. A life that is too long or too short raises ValidityRefused."""
    life = between(not_before, not_after) + ONE_SECOND  # the last second counts too (RFC 5280, section 4.1.2.5)
    longest = _longest(grant, profile)
    if life > longest:
        rule = "the profile" if profile.longest <= grant.claims.longest else "the provisioner"
        whose = profile.name if rule == "the profile" else grant.provisioner_name
        allowed = in_words(longest - profile.backdate, days=life >= 2 * ONE_DAY)
        more = f", and {in_words(profile.backdate)} more for clocks that are slow" if profile.backdate else ""
        allows = f"{rule} {whose} allows {allowed}{more}"
        raise ValidityRefused(
            f"The certificate would be valid for {in_words(life)}, its last second included; {allows}.", reasons=(allows,)
        )
    if life < grant.claims.shortest:
        whose = (
            f"profile {profile.name}" if profile.shortest >= grant.claims.shortest else f"provisioner {grant.provisioner_name}"
        )
        raise ValidityRefused(
            f"The certificate would be valid for {in_words(life)}; the {whose} allows no less than "
            f"{in_words(grant.claims.shortest)}."
        )
    return f"{in_words(life)} are within the {in_words(longest)} allowed"
