"""Every template with every kind of value, once: for the tests of escaping and for looking at the pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import segno
from markupsafe import Markup
from msgspec.structs import replace

from sealwright.access import Actor, Permissions, Role, permissions_of
from sealwright.clock import Instant
from sealwright.http import Response
from sealwright.identity import (
    Account,
    AccountKind,
    Credential,
    CredentialKind,
    CredentialReset,
    Group,
    MailAddress,
    ManagedNames,
    Passkey,
    ResetLink,
    Session,
    SessionKind,
    SignedIn,
    SshKey,
)
from sealwright.oauth import ScopeMap, SignedOut
from sealwright.web.certificates import REASONS
from sealwright.web.forms import FormError
from sealwright.web.getting_started import GettingStartedStep
from sealwright.web.models import (
    CertificateTimeline,
    ClaimPreview,
    ClientPreview,
    DetailsPreview,
    ListedApplication,
    ListedCertificate,
    ListedClient,
    ListedConsent,
    ListedConsentEvent,
    ListedSession,
    ListedSetting,
    MissingScope,
    TypedWelcome,
)
from sealwright.web.overtaken import OvertakenForm
from sealwright.web.pages import ConsoleContext, Pages, Site, pages_of
from sealwright.web.profile import FIELDS
from tests.unit.web.console_gallery import console_pages

NOW = Instant(1_795_342_800_000)
HOUR = 3_600_000
ALL_PERMISSIONS = permissions_of([Role.ADMINISTRATOR])
FINGERPRINT = "4f1e07aa" * 8


def pages(name: str = "Example") -> Pages:
    return pages_of(Site(name, "https://id.example.org", "help@example.org"))


class Gallery:
    """One picture of each page. `text` makes each value from what it stands for, so that a test can make it hostile."""

    def __init__(self, prefix: str = "", suffix: str = "") -> None:
        self._around = (prefix, suffix)
        self.pages = pages(self.text("Example"))

    def text(self, plain: str) -> str:
        return f"{self._around[0]}{plain}{self._around[1]}"

    def account(self) -> Account:
        return Account(
            id="0b9e6f0c-4b8e-4a57-9c1d-6a4f4f1f3e11",
            kind=AccountKind.PERSON,
            name=self.text("alice"),
            display_name=self.text("Alice Example"),
            mails=(
                MailAddress(self.text("alice@example.org"), verified=True),
                MailAddress(self.text("a.example@long-department-name.example.com"), verified=False),
            ),
            valid_from=None,
            valid_until=Instant(NOW + 9_000 * HOUR),
            disabled_at=None,
            created_at=Instant(NOW - 5_000 * HOUR),
            updated_at=NOW,
        )

    def person(self, permissions: Permissions = ALL_PERMISSIONS) -> SignedIn:
        account = self.account()
        session = Session(
            id="s-1",
            account_id=account.id,
            kind=SessionKind.BROWSER,
            methods=("pwd",),
            address="192.0.2.7",
            user_agent="",
            created_at=NOW,
            authenticated_at=NOW,
            last_seen_at=NOW,
            expires_at=Instant(NOW + 8 * HOUR),
            ended_at=None,
        )
        return SignedIn(account, session, Actor("person", account.id, account.name, permissions))

    def application(self, *, local: bool = True) -> ClientPreview:
        returns_to = "http://127.0.0.1:45673" if local else "https://ca.example.org"
        image = "" if local else "/static/icon.svg"
        return ClientPreview(self.text("Step-CA"), self.text("ca.example.org"), self.text(returns_to), local, image=image)

    def context(self, here: str = "/ui/account", permissions: Permissions = ALL_PERMISSIONS) -> ConsoleContext:
        return ConsoleContext(self.person(permissions), "csrf", here)

    def errors(self, *fields: str) -> tuple[FormError, ...]:
        return tuple(FormError(self.text(f"Something about {field or 'the form'}."), field) for field in fields)

    def passkey(self) -> Passkey:
        return Passkey("p-1", self.text("Laptop"), NOW, NOW, synchronized=True)

    def profile(self, show: Callable[..., Response]) -> Iterator[tuple[str, Response]]:
        """The person's own profile and mail addresses."""
        values = {field.id: self.text(field.label) for field in FIELDS}
        key = SshKey(self.text("laptop"), self.text("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA"), NOW)
        form = {
            "fields": FIELDS,
            "values": values,
            "display_name": self.text("Alice"),
            "seen": "0" * 32,
            "notice": "",
            "stale": None,
        }
        typed = {"tag": self.text("laptop"), "public_key": self.text("ssh-ed25519 AAAA")}
        yield "profile", show("profile.html", self.context(), keys=(key,), **form, **typed)
        wrong = self.errors("display-name", "phone-number", "public-key")
        stale = {"stale": OvertakenForm(((self.text("Name"), self.text("Alice"), self.text("Al")),))}
        yield "profile-stale", show("profile.html", self.context(), keys=(), **form | stale, **typed)
        yield "profile-wrong", show("profile.html", self.context(), keys=(), errors=wrong, **form, **typed)
        mails = (MailAddress(self.text("a@example.org"), verified=True), MailAddress(self.text("b@example.org"), verified=False))
        more = {"mails": mails, "sends_mail": True, "typed": self.text("c"), "notice": self.text("A link was sent.")}
        yield "mail", show("mail.html", self.context(), may_edit=True, errors=self.errors("address"), **more)
        yield "mail-read-only", show("mail.html", self.context(), may_edit=False, **{**more, "mails": ()})
        confirm = {"address": self.text("b@example.org"), "action": "/mail/x"}
        yield "mail-confirm", show("mail-confirm.html", self.context(), **confirm)

    def recovery_codes(self, show: Callable[..., Response]) -> Iterator[tuple[str, Response]]:
        recovery = {"codes": (self.text("abcd-efgh-ijkm-npqr"),), "left": 8, "second_factors": (self.authenticator(),)}
        yield "recovery-codes", show("recovery-codes.html", self.context(), **recovery)
        yield "recovery-codes-left", show("recovery-codes.html", self.context(), **(recovery | {"codes": ()}))
        none = {"codes": (), "left": 0, "second_factors": ()}
        yield "recovery-codes-none", show("recovery-codes.html", self.context(), **none)

    def clients(self, show: Callable[..., Response]) -> Iterator[tuple[str, Response]]:
        landing = self.text("https://wiki.example.org")
        client = ListedClient("wiki", self.text("The wiki"), "confidential", "oauth2.1", landing, NOW)
        here = self.context("/ui/clients")
        yield "clients", show("clients.html", here, clients=(client, client), after=self.text("wiki"), is_first=False)
        yield "clients-none", show("clients.html", here, clients=(), after="", is_first=True)
        issuer = self.text("https://id.example.org/oauth2/openid/wiki")
        one = {
            "client": client,
            "image": "/static/icon.svg",
            "asked": (self.text("It uses PKCE with S256."), self.text("It accepts tokens signed with ES256.")),
            "libraries": ((self.text("oauth2-proxy"), self.text("--code-challenge-method=S256")),),
            "issuer": issuer,
            "discovery": issuer,
            "scope_maps": (ScopeMap("g", self.text("staff"), (self.text("openid"), self.text("email"))),),
            "settings": (
                ListedSetting(
                    self.text("redirect URLs"), (self.text("https://wiki.example.org/callback"),) * 2, self.text("Compared.")
                ),
            ),
            "may_change": True,
        }
        yield "client", show("client.html", here, **one)
        bare = {"image": "", "libraries": (), "scope_maps": (), "may_change": False}
        yield "client-bare", show("client.html", here, **(one | bare))

    def consent_history(self) -> tuple[ListedConsentEvent, ...]:
        given = ListedConsentEvent(self.text("Step-CA"), given=True, may_know=(self.text("your user name"),), at=NOW)
        return given, replace(given, given=False, may_know=())

    def authenticator(self) -> Credential:
        return Credential(self.text("t-1"), CredentialKind.TOTP, self.text("phone"), NOW)

    def sessions(self) -> tuple[ListedSession, ...]:
        here = ListedSession(
            id="s-1",
            device=self.text("Firefox on Linux"),
            proofs=self.text("password and code"),
            address=self.text("192.0.2.7"),
            here=True,
            authenticated_at=Instant(NOW - HOUR),
            last_seen_at=NOW,
            expires_at=Instant(NOW + 7 * HOUR),
        )
        other = replace(here, id="s-2", device=self.text("the sealwright command"), here=False, address="2001:db8:1::17")
        more = (replace(other, id=f"s-{number}", device=self.text("Safari on iOS")) for number in range(3, 9))
        return here, other, *more

    def certificate(self) -> ListedCertificate:
        return ListedCertificate(
            serial=self.text("01a35c0f88d142aa7e199f2c01a35c0f88d142aa"),
            path="/ui/account/certificates/01a3",
            names=(self.text("alice@example.org"), self.text("https://id.example.org/oauth2/openid/step-ca#0b9e6f0c-4b8e-4a57")),
            holder=self.text("alice@example.org"),
            kind="good",
            word=self.text("valid"),
            not_before=NOW,
            not_after=Instant(NOW + 8 * HOUR),
            left="8 hours",
        )

    def step(self, name: str, *, done: bool, command: str = "", path: str = "") -> GettingStartedStep:
        return GettingStartedStep(name, done, self.text("A step"), self.text("It opens a page."), command, path)

    def choices(self, show: Callable[..., Response]) -> Iterator[tuple[str, Response]]:
        """The page that asks which account it shall be."""
        choosing = {"person": self.account(), "mail": self.text("alice@example.org"), "other": "/ui/sign-in?request=x&other"}
        for name, local in (("choose-account", False), ("choose-account-local", True)):
            form = {"application": self.application(local=local), "action": "/ui/oauth2/choose-account", "csrf_token": "csrf"}
            yield name, show("choose-account.html", leads_away=True, **choosing, **form)

    def singles(self) -> Iterator[tuple[str, Response]]:
        show: Callable[..., Response] = self.pages.single
        paths: dict[str, object] = {"passkey_action": "/ui/sign-in/passkey", "passkey_options": self.text("{}")}
        paths |= {
            "passkey_first": False,
            "confirming": None,
            "providers": ((self.text("Keycloak"), "/auth/oidc/login?provider=1"),),
        }
        paths |= {"action": "/ui/sign-in", "cancel": "/ui/sign-in/cancel", "proceed": "/ui/oauth2/continue"}
        sign_in = {"application": None, "again": False, "present": None, "username": "", "csrf_token": "csrf"} | paths
        yield "sign-in", show("sign-in.html", **sign_in)
        yield "sign-in-confirm", show("sign-in.html", **(sign_in | {"confirming": self.account(), "passkey_first": True}))
        asked = sign_in | {"application": self.application(), "username": self.text("alice")}
        yield "sign-in-application", show("sign-in.html", leads_away=True, **asked)
        yield "sign-in-other", show("sign-in.html", leads_away=True, **(asked | {"present": self.account()}))
        refused = asked | {"errors": self.errors("", "password"), "again": True}
        yield "sign-in-refused", show("sign-in.html", leads_away=True, **refused)
        code = {
            "application": self.application(),
            "action": "/ui/sign-in/code",
            "start_over": "/ui/sign-in",
            "csrf_token": "csrf",
        }
        yield "code", show("code.html", leads_away=True, errors=self.errors("code"), **code)
        claims = (
            ClaimPreview(self.text("Your user name"), (self.text("alice"),)),
            ClaimPreview(self.text("Your e-mail address"), (self.text("alice@example.org"),)),
            ClaimPreview(self.text("Your groups"), (), self.text("you are in none")),
            ClaimPreview(self.text("When your account was last changed"), (NOW,), technical=True),
        )
        details = (
            DetailsPreview(
                self.text("Payment initiation"),
                ((self.text("Instructed amount: Amount"), self.text("12.50")), (self.text("Creditor name"), self.text("Bakery"))),
            ),
            DetailsPreview(self.text("https://scheme.example.org/files"), ((self.text("Actions"), self.text("list, read")),)),
        )
        device = replace(self.application(), user_code=self.text("WDJB-MJHT"))
        consents = (
            ("consent", self.application(local=True), True, (), ()),
            ("consent-web", self.application(local=False), False, (), ()),
            ("consent-details", self.application(local=False), True, details, (self.text("https://api.example.org/"),)),
            ("consent-device", device, True, (), ()),
        )
        for name, application, each_time, asked_for, resources in consents:
            yield (
                name,
                show(
                    "consent.html",
                    leads_away=True,
                    application=application,
                    person=self.account(),
                    claims=claims,
                    details=asked_for,
                    resources=resources,
                    asks_each_time=each_time,
                    not_you="/ui/oauth2/not-you",
                    action="/ui/oauth2/consent",
                    csrf_token="csrf",
                ),
            )
        yield from self.choices(show)
        device_form = {"action": "/ui/oauth2/device", "csrf_token": "csrf", "user_code": self.text("WDJB-MJHT")}
        yield "device", show("device.html", errors=(), **device_form)
        yield "device-refused", show("device.html", status=422, errors=self.errors("user_code"), **device_form)
        for allowed in (True, False):
            yield "device-done" if allowed else "device-done-refused", show("device-done.html", allowed=allowed)
        missing = (
            MissingScope(
                self.text("Who you are, Your e-mail address"), (self.text("step-ca_users"), self.text("network-operations-team"))
            ),
            MissingScope(self.text("“root:all”"), ()),
        )
        for name, shown in (("not-allowed", missing), ("not-allowed-by-anyone", missing[1:])):
            yield (
                name,
                show(
                    "not-allowed.html",
                    status=403,
                    leads_away=True,
                    application=self.application(),
                    person=self.account(),
                    missing_scopes=shown,
                    joinable=2,
                    not_you="/ui/sign-in?other",
                    action="/ui/oauth2/not-allowed",
                    csrf_token="csrf",
                ),
            )
        yield (
            "break-glass",
            show("break-glass.html", errors=self.errors("password"), action="/break-glass", csrf_token="csrf"),
        )
        yield (
            "sign-on-refused",
            show(
                "sign-on-refused.html",
                status=403,
                detail=self.text("No role is assigned to any of your groups at Keycloak: Engineers."),
                hint=self.text("The group Engineers is mapped as engineers: every character counts."),
                groups=(self.text("Engineers"),),
                reason="unmapped_groups",
                sign_in_id=self.text("5b0c8f0e"),
                sign_in="/ui/sign-in",
            ),
        )
        yield (
            "error",
            show(
                "error.html",
                status=403,
                heading=self.text("You may not do this"),
                detail=self.text("alice does not have the permission person:write."),
                reasons=(self.text("person:write is held by members of idm_people_admins"),),
                hint=self.text("Sign in as someone who has it."),
                command=self.text("sealwright recover-account admin"),
                ways=({"path": "/ui/sign-in", "label": self.text("Sign in")},),
                request_id=self.text("7c1f0a9e"),
                icon="stop",
            ),
        )
        yield (
            "logout",
            show(
                "logout.html",
                leads_away=True,
                person=self.account(),
                client_name=self.text("Step-CA"),
                action="/ui/oauth2/logout?request=x",
                csrf_token="csrf",
            ),
        )
        yield (
            "form-post",
            show(
                "form-post.html",
                leads_away=True,
                client_name=self.text("Step-CA"),
                action="https://ca.example.org/back",
                fields=(("code", self.text("c0de")), ("state", self.text("st4te"))),
            ),
        )
        after = SignedOut(("https://wiki.example.org/end?sid=x",), "https://ca.example.org/goodbye", self.text("Step-CA"))
        frames = ("https://wiki.example.org",)
        yield "signed-out-frames", show("signed-out.html", frames_from=frames, signed_in=False, after=after)
        yield "signed-out-in-again", show("signed-out.html", signed_in=True, after=after)
        yield "sign-out", show("sign-out.html", person=self.account(), csrf_token="csrf")
        yield "signed-out", show("signed-out.html", signed_in=False, after=SignedOut())
        fingerprint = "4f1e07aa" * 8
        yield (
            "trust",
            show(
                "trust.html",
                name=self.text("Example Root CA"),
                fingerprint=fingerprint,
                in_pairs=":".join(fingerprint[start : start + 2].upper() for start in range(0, 64, 2)),
                until=NOW,
                people_url="https://id.example.org",
                machines_url="https://id.example.org:9443",
            ),
        )
        yield "password-set", show("password-set.html", person=self.account(), reset=CredentialReset(1, 2, 0))
        reset = {"person": self.account(), "action": "/reset/x", "csrf_token": "csrf", "shortest_password": 10}
        reset["link"] = ResetLink(self.account(), end_certificates=False, certificates=2)
        yield "reset", show("reset.html", errors=self.errors("password"), **reset)
        invited = {"person": self.account(), "action": "/invitation/x", "csrf_token": "csrf", "shortest_password": 10}
        yield "invitation", show("invitation.html", errors=self.errors("password"), **invited)
        welcome = {"group": self.text("system_admins"), "shortest_password": 10, "csrf_token": "csrf"}
        yield "welcome", show("welcome.html", action="/welcome/x", typed=TypedWelcome(), **welcome)
        typed = TypedWelcome(self.text("Alice"), self.text("Alice Example"), self.text("alice"))
        errors = self.errors("username", "mail", "password")
        yield "welcome-refused", show("welcome.html", action="/welcome/x", typed=typed, errors=errors, **welcome)

    def consoles(self) -> Iterator[tuple[str, Response]]:
        show: Callable[..., Response] = self.pages.console
        group = Group("g", self.text("web-team"), self.text("Looks after the web servers"), builtin=False, created_at=NOW)
        account = {
            "spn": self.text("alice@example.org"),
            "notice": self.text("The password was changed."),
            "groups": (group, replace(group, name=self.text("idm_all_persons"), description="")),
            "password_set_at": NOW,
            "passkeys": (self.passkey(), replace(self.passkey(), id="p-2", last_used_at=None)),
            "recovery_codes": 8,
            "second_factors": (self.authenticator(), replace(self.authenticator(), id="t-2")),
            "sessions": self.sessions(),
            "other_sessions": 2,
            "devices": [(self.text, Instant(1_790_000_000_000))],
            "managed": ManagedNames((self.text("web-team"),), (self.text("robot"),)),
            "getting_started": (
                self.step("second-factor", done=True),
                self.step("first-certificate", done=False, command="sealwright certificate issue"),
                self.step("other", done=False, path="/ui/account/authenticator"),
            ),
        }
        yield "account", show("account.html", self.context(), **account)
        bare = {
            "notice": "",
            "getting_started": (),
            "groups": (),
            "managed": ManagedNames((), ()),
            "password_set_at": None,
            "passkeys": (),
            "recovery_codes": 0,
            "second_factors": (),
            "sessions": self.sessions()[:1],
        }
        errors = self.errors("")
        yield (
            "account-bare",
            show("account.html", self.context(), **(account | bare | {"other_sessions": 0, "errors": errors})),
        )
        shortest = {"shortest_password": 10}
        yield "password", show("password.html", self.context(), **shortest)
        errors = self.errors("password", "new-password")
        yield "password-refused", show("password.html", self.context(), errors=errors, **shortest)
        yield (
            "passkey",
            show("passkey.html", self.context(), usable=True, options=self.text("{}"), label="", errors=self.errors("label")),
        )
        unusable = {"usable": False, "options": "", "label": "", "errors": self.errors("")}
        yield "passkey-unusable", show("passkey.html", self.context(), **unusable)
        changed = {"passkey": self.passkey(), "label": self.text("Laptop"), "errors": self.errors("label")}
        yield "passkey-change", show("passkey-change.html", self.context(), **changed)
        yield from (*self.profile(show), *self.recovery_codes(show))
        yield "authenticator", show("authenticator.html", self.context(), second_factors=(), label="")
        another = {
            "second_factors": (self.authenticator(),),
            "label": self.text("phone"),
            "errors": self.errors("password", "label"),
        }
        yield "authenticator-another", show("authenticator.html", self.context(), **another)
        drawing = Markup(
            segno.make("otpauth://totp/Example:alice?secret=JBSWY3DPEHPK3PXP").svg_inline(svgclass="qr", omitsize=True)
        )
        code = {"key": self.text("JBSW Y3DP EHPK 3PXP"), "drawing": drawing, "uri": "otpauth://totp/x"}
        yield "authenticator-code", show("authenticator-code.html", self.context(), **code)
        again = {"key": "", "drawing": None, "uri": "", "errors": self.errors("code")}
        yield "authenticator-again", show("authenticator-code.html", self.context(), **again)
        for name, last in (("authenticator-removal", False), ("authenticator-removal-last", True)):
            values = {"authenticator": self.authenticator(), "last": last, "errors": self.errors("password")}
            yield name, show("authenticator-removal.html", self.context(), **values)
        here = self.context("/ui/account/applications")
        consent = ListedConsent("c-1", self.text("Step-CA"), (self.text("your user name"), self.text("your e-mail address")), NOW)
        usable = (
            ListedApplication(self.text("Step-CA"), "https://ca.example.org/", self.text("ca.example.org"), "/static/icon.svg"),
            ListedApplication(self.text("Tool"), "", self.text("localhost:9000"), ""),
        )
        given = {
            "usable": usable,
            "consents": (consent, consent),
            "notice": self.text("Taken back."),
            "may_see_clients": True,
            "history": self.consent_history(),
        }
        yield "applications", show("applications.html", here, **given)
        yield (
            "applications-none",
            show("applications.html", here, usable=(), consents=(), notice="", may_see_clients=False, history=()),
        )
        here = self.context("/ui/account/certificates")
        valid = self.certificate()
        expired = replace(valid, kind="", word=self.text("expired"), left="")
        revoked = replace(valid, kind="bad", word=self.text("revoked"), left="")
        story = CertificateTimeline(
            issuer=self.text("Example Issuing CA 1"),
            vouched_by=self.text("single sign-on"),
            by_sign_in=True,
            intended_at=NOW,
            issued_at=NOW,
            revoked_at=None,
            revoked_because="",
            came_from=(),
            followed_by=(valid,),
        )
        one = {"notice": "", "certificate": valid, "story": story, "gone_percent": 30, "can_be_revoked": True}
        yield "certificate", show("certificate.html", here, **one)
        because = self.text("no longer needed")
        ended = replace(story, by_sign_in=False, revoked_at=NOW, revoked_because=because, came_from=(valid,), followed_by=())
        after = {"notice": self.text("Revoked."), "certificate": revoked, "story": ended, "can_be_revoked": False}
        yield "certificate-revoked", show("certificate.html", here, **(one | after))
        asked = {"certificate": valid, "reasons": REASONS}
        yield "certificate-revocation", show("certificate-revocation.html", here, **asked)
        errors = self.errors("reason")
        yield "certificate-revocation-refused", show("certificate-revocation.html", here, errors=errors, **asked)
        yield (
            "certificates",
            show(
                "certificates.html",
                here,
                certificates=(valid, revoked, expired),
                older="/ui/x",
                newest="/ui/y",
                fingerprint=FINGERPRINT,
            ),
        )
        yield (
            "certificates-none",
            show("certificates.html", here, certificates=(), older="", newest="", fingerprint=FINGERPRINT),
        )

    def all(self) -> dict[str, Response]:
        return dict(self.singles()) | dict(self.consoles()) | dict(self.clients(self.pages.console)) | dict(console_pages(self))
