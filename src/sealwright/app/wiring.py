"""The object graph, built by hand in one place. Tests build it with a clock, entropy and outbound calls of their own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from urllib.parse import urlsplit

from msgspec import Struct

from sealwright import ca, identity, mail, oauth
from sealwright.access.approvals import ApprovalRules, Approvals, GuardedKind
from sealwright.app.approval_mail import ApprovalMail
from sealwright.app.calls_to_self import CallsToSelf
from sealwright.app.dependencies import Dependencies, build_people
from sealwright.app.home import Home
from sealwright.app.listener_certificate import ListenerCertificate
from sealwright.app.named import everything_named
from sealwright.audit import Audit, Checkpoints, Forwarding
from sealwright.budgets import Budgets, make_budgets
from sealwright.clock import Clock
from sealwright.db import Database
from sealwright.http import Listener, Response
from sealwright.openid_providers import TrustedProviders
from sealwright.settings import Settings


class Parts(Struct, frozen=True):
    """Every part of the program, one of each."""

    around: Dependencies
    urls: Mapping[Listener, str]
    audit: Audit
    checkpoints: Checkpoints
    forwarding: Forwarding
    upstream_providers: identity.UpstreamProviders
    sign_on: identity.UpstreamSignOn
    sign_in_records: identity.SignInRecords
    upstream_logout: identity.BackChannelLogout
    identity: identity.Identity
    oauth_dependencies: oauth.OAuthDependencies
    oauth: oauth.AuthorizationServer
    ca: ca.CertificateAuthority
    approvals: Approvals
    approval_rules: ApprovalRules
    certificate: ListenerCertificate
    outbox: mail.Outbox


def build(around: Dependencies, listening: Mapping[Listener, str] | None = None, mail_log: mail.MailLog | None = None) -> Parts:
    """Put everything together. `listening`: where the listeners really are, for settings that asked for a free port."""
    settings, clock, db = around.settings, around.clock, around.db
    urls, audit = public_urls(settings, listening or {}), Audit(clock)
    budgets = make_budgets(settings.budgets, clock)
    provisioners = _provisioners(around, audit, urls[Listener.PEOPLE])
    named = everything_named(provisioners, urls[Listener.PEOPLE])
    people = build_people(around, audit, named, oauth.clients_of_group, oauth.queue_logout_tokens, origin=urls[Listener.PEOPLE])
    oauth_dependencies = _oauth_dependencies(around, audit, budgets, urls)
    issuers = ca.Issuers(db, around.custody, audit, clock, around.entropy)
    authorization_server = oauth.build_authorization_server(
        oauth_dependencies,
        people=oauth.IdentityLookups(people.directory, people.sessions, people.api_tokens, people.changes),
        custody=around.custody,
        sealer=around.sealer,
        named=named,
        certificates=_client_certificates(db, issuers, clock, people.directory),
        form_post_page=_form_post_page(settings, urls[Listener.PEOPLE]),
    )
    providers = TrustedProviders(around.outbound, clock, authorization_server.discovery.local_provider)
    upstream_providers, sign_on = _upstream(around, audit, people, providers, authorization_server, urls[Listener.PEOPLE])
    names = reached_by(settings, urls)
    approvals = _approvals(around, audit, people)
    authority = build_authority(
        around,
        audit,
        budgets,
        approvals,
        providers=providers,
        directory=directory_of(db, people.directory, authorization_server),
        access_tokens=authorization_server.certificate_access.verify,
        dns_names=names,
        provisioners=provisioners,
        issuers=issuers,
    )
    return Parts(
        around=around,
        urls=urls,
        audit=audit,
        checkpoints=Checkpoints(db, audit, around.custody, clock),
        forwarding=_forwarding(around, audit, urls[Listener.PEOPLE]),
        identity=people,
        oauth_dependencies=oauth_dependencies,
        oauth=authorization_server,
        ca=authority,
        approvals=approvals,
        approval_rules=ApprovalRules(db, audit, clock, approvals, partial(guardable, db, authority)),
        certificate=_listener_certificate(settings, clock, authority, names),
        outbox=_outbox(around, audit, urls[Listener.PEOPLE], mail_log, approvals),
        upstream_providers=upstream_providers,
        sign_on=sign_on,
        sign_in_records=identity.SignInRecords(db),
        upstream_logout=identity.BackChannelLogout(db, audit, clock, people.sessions, providers),
    )


def _client_certificates(db: Database, issuers: ca.Issuers, clock: Clock, directory: identity.Directory) -> ca.ClientCertificates:
    return ca.ClientCertificates(
        db, issuers, clock, status_of=partial(status_of, directory), client_name_of=partial(oauth.client_name_of, db)
    )


def _forwarding(around: Dependencies, audit: Audit, origin: str) -> Forwarding:
    host = urlsplit(origin).hostname or ""
    return Forwarding(around.db, audit, around.clock, around.entropy, around.sealer, around.outbound, host=host)


def _approvals(around: Dependencies, audit: Audit, people: identity.Identity) -> Approvals:
    approvals = Approvals(around.db, audit, around.clock, around.entropy)
    people.roles.use_approvals(approvals)
    return approvals


def _provisioners(around: Dependencies, audit: Audit, origin: str) -> ca.ProvisionerRegistry:
    return ca.ProvisionerRegistry(
        around.db,
        around.sealer,
        audit,
        around.clock,
        directory=Home(around.settings.home).provisioner_files,
        own_client=partial(oauth.client_name_in, origin),
        origin=origin,
    )


def _upstream(
    around: Dependencies,
    audit: Audit,
    people: identity.Identity,
    providers: TrustedProviders,
    authorization_server: oauth.AuthorizationServer,
    origin: str,
) -> tuple[identity.UpstreamProviders, identity.UpstreamSignOn]:
    upstream_providers = identity.UpstreamProviders(
        around.db,
        audit,
        around.clock,
        around.entropy,
        around.sealer,
        changes=people.changes,
        sessions=people.sessions,
        providers=providers,
        origin=origin,
    )
    sign_on = identity.UpstreamSignOn(
        around.db,
        audit,
        around.clock,
        around.entropy,
        around.sealer,
        sessions=people.sessions,
        devices=people.devices,
        providers=providers,
        outbound=CallsToSelf(around.outbound, origin, authorization_server.routes, oauth.answer_failure),
        first=people.first_administrator,
        callback=upstream_providers.callback,
    )
    return upstream_providers, sign_on


def build_authority(  # noqa: PLR0913 - what it stands on, and what it asks of others
    around: Dependencies,
    audit: Audit,
    budgets: Budgets,
    approvals: Approvals,
    *,
    providers: TrustedProviders,
    directory: ca.AccountLookup,
    access_tokens: ca.VerifyAccessToken,
    dns_names: tuple[str, ...],
    provisioners: ca.ProvisionerRegistry,
    issuers: ca.Issuers | None = None,
) -> ca.CertificateAuthority:
    """The certificate authority; what it asks of people and of their providers is passed to it."""
    return ca.build_authority(
        ca.AuthorityDependencies(
            db=around.db,
            clock=around.clock,
            entropy=around.entropy,
            audit=audit,
            custody=around.custody,
            sealer=around.sealer,
            budgets=budgets,
            approvals=approvals,
        ),
        providers=providers,
        directory=directory,
        access_tokens=access_tokens,
        dns_names=dns_names,
        provisioners=provisioners,
        issuers=issuers,
        crash_points=around.crash_points,
    )


async def guardable(db: Database, authority: ca.CertificateAuthority, kind: GuardedKind, name: str) -> str | None:
    """The id of what may ask for approval, by its name or id."""
    if kind is GuardedKind.PROFILE:
        return None if await authority.profiles.find(name) is None else name
    if kind is GuardedKind.ISSUER:
        return next((each.id for each in await authority.issuers.records() if name in (each.id, each.name)), None)
    return await identity.role_id(db, name)


def _oauth_dependencies(
    around: Dependencies, audit: Audit, budgets: Budgets, urls: Mapping[Listener, str]
) -> oauth.OAuthDependencies:
    return oauth.OAuthDependencies(
        db=around.db,
        clock=around.clock,
        entropy=around.entropy,
        audit=audit,
        origin=urls[Listener.PEOPLE],
        machines_origin=urls[Listener.MACHINES],
        domain=around.settings.domain,
        lifetimes=around.settings.oauth,
        budgets=budgets,
        outbound=around.outbound,
    )


def _listener_certificate(
    settings: Settings, clock: Clock, authority: ca.CertificateAuthority, names: tuple[str, ...]
) -> ListenerCertificate:
    file = Home(settings.home).server_certificate
    return ListenerCertificate(authority, clock, file=file, names=names, given=settings.tls)


def _form_post_page(settings: Settings, people_url: str) -> oauth.FormPostPage:
    @cache
    def page() -> oauth.FormPostPage:
        from sealwright import web  # noqa: PLC0415 - commands without a server show no pages, and load none

        return web.form_post_page(web.Site(settings.name, people_url, settings.contact))

    def render(step: oauth.FormPostStep) -> Response:
        return page()(step)

    return render


def _outbox(around: Dependencies, audit: Audit, people_url: str, log: mail.MailLog | None, approvals: Approvals) -> mail.Outbox:
    settings = around.settings
    outbox = mail.Outbox(
        around.db,
        audit,
        around.clock,
        around.entropy,
        around.sealer,
        settings=settings.mail,
        sender=mail.Sender(settings.name, people_url, settings.contact),
        log=log,
    )
    approvals.notices = ApprovalMail(outbox, around.clock, people_url)
    return outbox


def directory_of(db: Database, directory: identity.Directory, tokens: oauth.AuthorizationServer) -> ca.AccountLookup:
    """What the certificate authority asks about people, clients and tokens of this server."""
    return ca.AccountLookup(
        status_of=partial(status_of, directory),
        person_of=partial(person_of, directory),
        token_status_of=partial(token_status_of, tokens),
        client_name_of=partial(oauth.client_name_of, db),
    )


async def token_status_of(tokens: oauth.AuthorizationServer, token: ca.LocalToken | ca.LocalAccessToken) -> ca.HolderStatus:
    """What a token of ours is worth now, in the words of the certificate authority."""
    if isinstance(token, ca.LocalAccessToken):
        over = await tokens.certificate_access.why_invalid(token)
        return ca.HolderStatus(active=not over, reason=over or "active")
    over = await tokens.id_token_status.why_invalid(
        issuer_url=token.issuer_url,
        client_name=token.client_id,
        account_id=token.subject,
        session_id=token.session_id,
        family_id=token.family_id,
        claims=token.claims,
    )
    return ca.HolderStatus(active=not over, reason=over or "active")


async def status_of(directory: identity.Directory, account_id: str) -> ca.HolderStatus:
    """Whether an account may act, in the words of the certificate authority."""
    status = await directory.status_of(account_id)
    return ca.HolderStatus(active=status.active, reason=status.reason, credential_generation=status.credential_generation)


async def person_of(directory: identity.Directory, account_id: str) -> ca.Person | None:
    """Who an account is, in the words of the certificate authority."""
    account = await directory.account(account_id)
    if account is None:
        return None
    primary = account.primary_mail
    groups = await directory.groups_of(account_id)
    return ca.Person(
        id=account.id,
        name=directory.spn_of(account),
        mails=tuple(mail.address for mail in account.mails if mail.verified),
        unverified_mails=tuple(mail.address for mail in account.mails if not mail.verified),
        primary_mail=primary.address if primary is not None else "",
        groups=frozenset(group.name for group in groups),
        group_ids=frozenset(group.id for group in groups),
    )


def public_urls(settings: Settings, listening: Mapping[Listener, str]) -> Mapping[Listener, str]:
    """How the world reaches each listener."""
    wanted = {
        Listener.PEOPLE: (settings.urls.people, settings.listen.people),
        Listener.MACHINES: (settings.urls.machines, settings.listen.machines),
        Listener.STATUS: (settings.urls.status, settings.listen.status),
    }
    found = {}
    for listener, (url, address) in wanted.items():
        port = urlsplit(listening.get(listener, "")).port
        if address.port == 0 and port and urlsplit(url).port in (0, None):
            parts = urlsplit(url)
            found[listener] = f"{parts.scheme}://{parts.netloc.rpartition(':0')[0] or parts.netloc}:{port}"
        else:
            found[listener] = url
    return found


def reached_by(settings: Settings, urls: Mapping[Listener, str]) -> tuple[str, ...]:
    """Every name and address that clients use for this server."""
    hosts = (urlsplit(url).hostname or "" for url in urls.values())
    return tuple(dict.fromkeys([*settings.dns_names, *filter(None, hosts)]))
