"""Every address of the pages."""

from __future__ import annotations

from msgspec import Struct

from sealwright.clock import Clock
from sealwright.entropy import Entropy
from sealwright.http import FailureAnswer, Handler, Listener, Request, Response, Route, Wire, redirect
from sealwright.identity import (
    BACK_CHANNEL_PATH,
    CALLBACK_PATH,
    LOGIN_PATH,
    browser_authenticator,
)
from sealwright.oauth import (
    CHOOSE_ACCOUNT_PAGE,
    CONSENT_PAGE,
    DEVICE_DONE_PAGE,
    DEVICE_PAGE,
    LOGOUT_PAGE,
    NOT_ALLOWED_PAGE,
    SIGN_IN_PAGE,
)
from sealwright.web.account import AccountPages
from sealwright.web.applications import APPLICATIONS_PAGE, ApplicationPages
from sealwright.web.assets import Assets, load_assets
from sealwright.web.back_channel import BackChannelEndpoint
from sealwright.web.break_glass import BREAK_GLASS_PAGE, BreakGlassPages
from sealwright.web.certificates import CERTIFICATES_PAGE, CertificatePages
from sealwright.web.choose_account import ChooseAccountPages
from sealwright.web.client_images import IMAGE_PATH, ClientImagePages
from sealwright.web.consent import ConsentPages
from sealwright.web.console.refusal import refusal_in_console
from sealwright.web.console.routes import ConsoleRoutes
from sealwright.web.credentials import AUTHENTICATOR_PAGE, PASSWORD_PAGE, RECOVERY_PAGE, CredentialPages
from sealwright.web.dependencies import WebDependencies
from sealwright.web.device import DevicePages
from sealwright.web.failures import failure_answer
from sealwright.web.getting_started import GettingStarted
from sealwright.web.invitation import InvitationPages
from sealwright.web.logout import SIGNED_OUT_PAGE, LogoutPages, SignOut
from sealwright.web.not_allowed import NotAllowedPages
from sealwright.web.page_request import PageHandlers, PageRequest, PersonalAction
from sealwright.web.page_route import page_route
from sealwright.web.pages import Pages, Site, pages_of
from sealwright.web.passkeys import PASSKEY_PAGE, PasskeyPages
from sealwright.web.profile import MAIL_PAGE, PROFILE_PAGE, ProfilePages
from sealwright.web.reset import ResetPages
from sealwright.web.return_to import HOME
from sealwright.web.sign_in import CANCEL_PATH, CODE_PAGE, PASSKEY_PATH, SignInPages
from sealwright.web.sign_on import SignOnPages, to_sign_in
from sealwright.web.trust import TRUST_PAGE, TrustPages
from sealwright.web.welcome import WelcomePages

MAX_LOGOUT_FORM = 65_536
_PEOPLE = frozenset({Listener.PEOPLE})
_OPEN = "public: no one is signed in yet"
_OWN = "public: everyone's own account, by their session"
_RECENT = "public: everyone's own account, by a session with a recent sign-in"
_SIGNED = "public: the logout token is signed by the provider"
_LINK = "public: the link is the permission"
_STATIC = "public: the same for everyone"


class Web(Struct, frozen=True):
    """The pages: their addresses, and how failures are shown on them."""

    routes: tuple[Route, ...]
    answer_failure: FailureAnswer


def build_web(site: Site, dependencies: WebDependencies, *, clock: Clock, entropy: Entropy) -> Web:
    """The pages, and all that they are made of."""
    assets = load_assets()
    pages = pages_of(site)
    handlers = PageHandlers(
        browser_authenticator(dependencies.sessions, even_restricted=True),
        dependencies.sessions,
        dependencies.guard,
        entropy,
        site.origin,
        refusal_in_console(pages),
    )
    routes = (
        *_static(assets),
        page_route("GET", f"{IMAGE_PATH}/{{digest}}", ClientImagePages(dependencies.client_images).show, _STATIC),
        Route("GET", "/", to_people(site.origin), frozenset({Listener.MACHINES}), _STATIC, Wire.PAGE),
        *_sign_in(pages, dependencies, handlers, clock),
        *_links(pages, dependencies, handlers),
        *_trust(pages, dependencies, handlers, site.origin),
        *_account(pages, dependencies, handlers, clock),
        *ConsoleRoutes(pages, dependencies, handlers, clock).all(),
        *_profile(pages, dependencies, handlers),
    )
    return Web(routes, failure_answer(pages))


def _static(assets: Assets) -> tuple[Route, ...]:
    return (
        page_route("GET", "/static/{file}", assets.serve, _STATIC),
        page_route("GET", "/favicon.ico", assets.serve_favicon, _STATIC),
    )


def _sign_in(pages: Pages, dependencies: WebDependencies, handlers: PageHandlers, clock: Clock) -> tuple[Route, ...]:
    sign_out = SignOut(dependencies.sessions, dependencies.logout, dependencies.backchannel_logout)
    logout = LogoutPages(pages, dependencies.logout, sign_out)
    sign_in = SignInPages(
        pages,
        sign_in=dependencies.sign_in,
        passkeys=dependencies.passkeys,
        upstream_providers=dependencies.upstream_providers,
        sessions=dependencies.sessions,
        authorization=dependencies.authorization,
        step_response=dependencies.step_response,
        sign_out=sign_out,
        images=dependencies.client_images,
        clock=clock,
    )
    consent = ConsentPages(pages, dependencies.authorization, dependencies.step_response, dependencies.client_images)
    not_allowed = NotAllowedPages(pages, dependencies.authorization, dependencies.step_response, dependencies.client_images)
    choose = ChooseAccountPages(pages, dependencies.authorization, dependencies.step_response, dependencies.client_images)
    device = DevicePages(pages, dependencies.authorization, dependencies.step_response)
    break_glass = BreakGlassPages(pages, dependencies.break_glass, dependencies.emergencies_by_network)
    back_channel = BackChannelEndpoint(dependencies.upstream_logout)
    sign_on = SignOnPages(pages, dependencies.sign_on, dependencies.sessions, dependencies.sign_ons_by_network)
    return (
        page_route("GET", BREAK_GLASS_PAGE, handlers.open_page(break_glass.show), _OPEN),
        page_route("POST", BREAK_GLASS_PAGE, handlers.open_form(break_glass.submit), _OPEN),
        page_route("GET", "/login", handlers.open_page(to_sign_in), _OPEN),
        page_route("GET", LOGIN_PATH, handlers.open_page(sign_on.begin), _OPEN),
        Route("POST", BACK_CHANNEL_PATH, back_channel.receive, _PEOPLE, _SIGNED, Wire.OAUTH, max_body=MAX_LOGOUT_FORM),
        page_route("GET", CALLBACK_PATH, handlers.open_page(sign_on.finish), _OPEN),
        page_route("GET", "/", handlers.open_page(_to_start), _OPEN),
        page_route("GET", "/ui", handlers.open_page(_to_start), _OPEN),
        page_route("GET", SIGN_IN_PAGE, handlers.open_page(sign_in.show), _OPEN),
        page_route("POST", SIGN_IN_PAGE, handlers.open_form(sign_in.submit), _OPEN),
        page_route("GET", CODE_PAGE, handlers.open_page(sign_in.show_code), _OPEN),
        page_route("POST", CODE_PAGE, handlers.open_form(sign_in.submit_code), _OPEN),
        page_route("POST", PASSKEY_PATH, handlers.open_form(sign_in.submit_passkey), _OPEN),
        page_route("POST", CANCEL_PATH, handlers.open_form(sign_in.cancel), _OPEN),
        page_route("GET", "/ui/sign-out", handlers.personal_page(sign_in.show_sign_out), _OWN),
        page_route("GET", SIGNED_OUT_PAGE, handlers.open_page(logout.show_signed_out), _OPEN),
        page_route("GET", LOGOUT_PAGE, handlers.open_page(logout.show), _OPEN),
        page_route("POST", LOGOUT_PAGE, handlers.open_form(logout.decide), _OPEN),
        page_route("POST", "/ui/sign-out", handlers.personal_form(sign_in.sign_out, page=HOME), _OWN),
        page_route("GET", CONSENT_PAGE, handlers.personal_page(consent.show), _OWN),
        page_route("POST", CONSENT_PAGE, handlers.personal_form(consent.decide, page=HOME), _OWN),
        page_route("GET", CHOOSE_ACCOUNT_PAGE, handlers.personal_page(choose.show), _OWN),
        page_route("POST", CHOOSE_ACCOUNT_PAGE, handlers.personal_form(choose.decide, page=HOME), _OWN),
        page_route("GET", DEVICE_PAGE, handlers.open_page(device.show), _OPEN),
        page_route("POST", DEVICE_PAGE, handlers.open_form(device.submit), _OPEN),
        page_route("GET", DEVICE_DONE_PAGE, handlers.open_page(device.show_done), _OPEN),
        page_route("GET", NOT_ALLOWED_PAGE, handlers.personal_page(not_allowed.show), _OWN),
        page_route("POST", NOT_ALLOWED_PAGE, handlers.personal_form(not_allowed.go_back, page=HOME), _OWN),
    )


def _links(pages: Pages, dependencies: WebDependencies, handlers: PageHandlers) -> tuple[Route, ...]:
    welcome, reset = WelcomePages(pages, dependencies.bootstrap), ResetPages(pages, dependencies.reset_links)
    invitation = InvitationPages(pages, dependencies.invitations)
    return (
        page_route("GET", "/invitation/{token}", handlers.open_page(invitation.show), _LINK),
        page_route("POST", "/invitation/{token}", handlers.open_form(invitation.submit), _LINK),
        page_route("GET", "/welcome/{token}", handlers.open_page(welcome.show), _LINK),
        page_route("POST", "/welcome/{token}", handlers.open_form(welcome.submit), _LINK),
        page_route("GET", "/reset/{token}", handlers.open_page(reset.show), _LINK),
        page_route("POST", "/reset/{token}", handlers.open_form(reset.submit), _LINK),
    )


def _trust(pages: Pages, dependencies: WebDependencies, handlers: PageHandlers, origin: str) -> tuple[Route, ...]:
    trust = TrustPages(pages, dependencies.issuers, people_url=origin, machines_url=dependencies.machines_url)
    return (
        page_route("GET", TRUST_PAGE, handlers.open_page(trust.show), _STATIC),
        page_route("GET", f"{TRUST_PAGE}/root_ca.crt", handlers.open_page(trust.download_pem), _STATIC),
        page_route("GET", f"{TRUST_PAGE}/root_ca.cer", handlers.open_page(trust.download_der), _STATIC),
    )


def _account(pages: Pages, dependencies: WebDependencies, handlers: PageHandlers, clock: Clock) -> tuple[Route, ...]:
    account = AccountPages(
        pages,
        directory=dependencies.directory,
        sessions=dependencies.sessions,
        devices=dependencies.devices,
        credentials=dependencies.credentials,
        passkeys=dependencies.passkeys,
        getting_started=GettingStarted(
            dependencies.credentials, dependencies.directory, dependencies.inventory, dependencies.issuers
        ),
    )
    credentials = CredentialPages(pages, dependencies.credentials)
    passkeys = PasskeyPages(pages, dependencies.passkeys)
    applications = ApplicationPages(pages, dependencies.consents)
    certificates = CertificatePages(pages, dependencies.inventory, dependencies.revocation, dependencies.issuers, clock)
    one = f"{CERTIFICATES_PAGE}/{{serial}}"

    def page(path: str, show: PersonalAction) -> Route:
        return page_route("GET", path, handlers.personal_page(show), _OWN)

    def form(path: str, act: PersonalAction, from_page: str = HOME) -> Route:
        return page_route("POST", path, handlers.personal_form(act, page=from_page), _OWN)

    def privileged_page(path: str, show: PersonalAction) -> Route:
        return page_route("GET", path, handlers.privileged_page(show), _RECENT)

    def privileged_form(path: str, act: PersonalAction, from_page: str = HOME) -> Route:
        return page_route("POST", path, handlers.privileged_form(act, page=from_page), _RECENT)

    return (
        page(HOME, account.show),
        form(f"{HOME}/sessions/end", account.end_session),
        form(f"{HOME}/sessions/end-others", account.end_other_sessions),
        form(f"{HOME}/devices/forget", account.forget_devices),
        page(PASSWORD_PAGE, credentials.show_password),
        form(PASSWORD_PAGE, credentials.change_password, PASSWORD_PAGE),
        page(AUTHENTICATOR_PAGE, credentials.show_authenticator),
        form(f"{AUTHENTICATOR_PAGE}/begin", credentials.begin_authenticator, AUTHENTICATOR_PAGE),
        form(f"{AUTHENTICATOR_PAGE}/confirm", credentials.confirm_authenticator, AUTHENTICATOR_PAGE),
        page(f"{AUTHENTICATOR_PAGE}/remove", credentials.show_removal),
        form(f"{AUTHENTICATOR_PAGE}/remove", credentials.remove_authenticator),
        privileged_page(RECOVERY_PAGE, credentials.show_recovery_codes),
        privileged_form(RECOVERY_PAGE, credentials.create_recovery_codes, RECOVERY_PAGE),
        privileged_page(PASSKEY_PAGE, passkeys.show_new),
        privileged_form(PASSKEY_PAGE, passkeys.add, PASSKEY_PAGE),
        privileged_page(f"{PASSKEY_PAGE}/change", passkeys.show_change),
        privileged_form(f"{PASSKEY_PAGE}/rename", passkeys.rename),
        privileged_form(f"{PASSKEY_PAGE}/remove", passkeys.remove),
        page(APPLICATIONS_PAGE, applications.show),
        form(f"{APPLICATIONS_PAGE}/withdraw", applications.withdraw, APPLICATIONS_PAGE),
        page(CERTIFICATES_PAGE, certificates.show),
        page(one, certificates.show_one),
        page(f"{one}/pem", certificates.download),
        page(f"{one}/revoke", certificates.show_revocation),
        form(f"{one}/revoke", certificates.revoke, CERTIFICATES_PAGE),
    )


def _profile(pages: Pages, dependencies: WebDependencies, handlers: PageHandlers) -> tuple[Route, ...]:
    profile = ProfilePages(pages, dependencies.directory, dependencies.mail_addresses, dependencies.outbox)

    def form(path: str, act: PersonalAction, from_page: str) -> Route:
        return page_route("POST", path, handlers.personal_form(act, page=from_page), _OWN)

    def privileged_form(path: str, act: PersonalAction, from_page: str) -> Route:
        return page_route("POST", path, handlers.privileged_form(act, page=from_page), _RECENT)

    return (
        page_route("GET", PROFILE_PAGE, handlers.personal_page(profile.show), _OWN),
        form(PROFILE_PAGE, profile.save, PROFILE_PAGE),
        privileged_form(f"{PROFILE_PAGE}/ssh-keys", profile.add_key, PROFILE_PAGE),
        privileged_form(f"{PROFILE_PAGE}/ssh-keys/delete", profile.delete_key, PROFILE_PAGE),
        page_route("GET", MAIL_PAGE, handlers.personal_page(profile.show_mail), _OWN),
        privileged_form(MAIL_PAGE, profile.add_mail, MAIL_PAGE),
        privileged_form(f"{MAIL_PAGE}/remove", profile.remove_mail, MAIL_PAGE),
        form(f"{MAIL_PAGE}/link", profile.send_link, MAIL_PAGE),
        page_route("GET", "/mail/{token}", handlers.personal_page(profile.show_link), _OWN),
        form("/mail/{token}", profile.confirm, MAIL_PAGE),
    )


def to_people(origin: str) -> Handler:
    """The start page of the machines' listener, where no program asks for anything: a browser is led to the pages."""

    async def handler(_request: Request) -> Response:
        """To the pages for people."""
        return redirect(f"{origin}/")

    return handler


async def _to_start(page_request: PageRequest) -> Response:
    """To the person's own account, or to the sign-in page."""
    return redirect(HOME if page_request.signed_in else SIGN_IN_PAGE)
