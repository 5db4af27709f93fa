"""Every address of the console."""

from __future__ import annotations

from collections.abc import Iterator

from sealwright.access import Permission
from sealwright.audit_targets import AuditTargets
from sealwright.clock import Clock
from sealwright.grant_scopes import GrantScopes
from sealwright.http import Route
from sealwright.web.api_keys import ALL_API_KEYS_PAGE, API_KEYS_PAGE, ApiKeyPages
from sealwright.web.certificates import CertificatePages
from sealwright.web.clients import CLIENTS_PAGE, ClientPages
from sealwright.web.console.accounts import (
    NEW_SERVICE_ACCOUNT_PAGE,
    RECYCLE_BIN_PAGE,
    SERVICE_ACCOUNTS_PAGE,
    RecycleBinPages,
    ServiceAccountPages,
)
from sealwright.web.console.approvals import APPROVALS_PAGE, ApprovalPages
from sealwright.web.console.assertions import EXPLAIN_PAGE, AssertionPages
from sealwright.web.console.audit_sinks import NEW_SINK_PAGE, SINKS_PAGE, AuditSinkPages
from sealwright.web.console.authority import ISSUERS_PAGE, PROVISIONERS_PAGE, AuthorityPages
from sealwright.web.console.certificate_preview import PREVIEW_PAGE, CertificatePreviewPages
from sealwright.web.console.certificate_profiles import PROFILES_PAGE, CertificateProfilePages
from sealwright.web.console.certificates import ALL_CERTIFICATES_PAGE, AllCertificatePages, CertificateParts
from sealwright.web.console.chain import CertificateChain
from sealwright.web.console.group_forms import GroupFormPages
from sealwright.web.console.groups import GROUPS_PAGE, NEW_GROUP_PAGE, GroupPages
from sealwright.web.console.identity_providers import PROVIDERS_PAGE, IdentityProviderPages
from sealwright.web.console.overview import OVERVIEW_PAGE, OverviewPages, OverviewParts
from sealwright.web.console.people import NEW_PERSON_PAGE, PEOPLE_PAGE, PeopleDependencies, PeoplePages
from sealwright.web.console.person_edit import PersonEditPages
from sealwright.web.console.person_links import PersonLinkPages
from sealwright.web.console.person_roles import PersonRolePages
from sealwright.web.console.record import AUDIT_PAGE, AuditPages
from sealwright.web.console.search import HELP_PAGE, SEARCH_PAGE, SearchPages, SearchParts
from sealwright.web.console.service_account_forms import ServiceAccountFormPages
from sealwright.web.console.settings import SETTINGS_PAGE, SettingsPages
from sealwright.web.console.trusted_issuer_edits import TrustedIssuerEdits
from sealwright.web.console.trusted_issuers import NEW_ISSUER_PAGE, TRUSTED_ISSUERS_PAGE, TrustedIssuerPages
from sealwright.web.dependencies import WebDependencies
from sealwright.web.page_request import PageHandlers, PersonalAction
from sealwright.web.page_route import page_route
from sealwright.web.pages import Pages

_P = Permission
_WHO_DECIDES = "public: what one asked for and what one may decide about, by the session"
_OWN = "public: everyone's own keys, by their session"
_OWN_RECENT = "public: everyone's own keys, by a session with a recent sign-in"
_WHAT_WOULD_BE = "public: what the person themselves would get, by their session"
_AS_PERMITTED = "public: shows what the reader's permissions open"

_GROUP_SHOWN = "public: who manages the group, by their session; for others group:read"
_GROUP_CHANGED = "public: who manages the group, by a session with a recent sign-in; for others group:write"
_ACCOUNT_SHOWN = "public: who manages the service account, by their session; for others person:read"
_ACCOUNT_CHANGED = "public: who manages the service account, by a session with a recent sign-in; for others person:write"


class ConsoleRoutes:
    """Each route names the permission that its handler asks for."""

    def __init__(self, pages: Pages, dependencies: WebDependencies, handlers: PageHandlers, clock: Clock) -> None:
        self._pages = pages
        self._parts = dependencies
        self._handlers = handlers
        self._clock = clock

    def all(self) -> tuple[Route, ...]:
        """All of them."""
        return (
            *self._approvals(),
            *self._search(),
            *self._overview(),
            *self._certificates(),
            *self._authority(),
            *self._profiles(),
            *self._accounts(),
            *self._record(),
            *self._api_keys(),
            *self._people(),
            *self._groups(),
            *self._clients(),
            *self._trusted_issuers(),
            *self._identity_providers(),
        )

    def _page(self, path: str, show: PersonalAction, permission: Permission, *, recent: bool = False) -> Route:
        return page_route("GET", path, self._handlers.permitted_page(show, permission, recent=recent), permission)

    def _form(self, path: str, act: PersonalAction, permission: Permission, *, page: str) -> Route:
        return page_route("POST", path, self._handlers.permitted_form(act, permission, page=page), permission)

    def _search(self) -> Iterator[Route]:
        parts = self._parts
        searched = SearchParts(
            directory=parts.directory,
            clients=parts.clients,
            inventory=parts.inventory,
            lists=parts.certificate_lists,
            provisioners=parts.provisioners,
            providers=parts.upstream_providers,
            trusted_issuers=parts.trusted_issuers,
            profiles=parts.profiles,
            issuers=parts.issuers,
            forwarding=parts.forwarding,
        )
        search = SearchPages(self._pages, searched, self._clock)
        yield page_route("GET", SEARCH_PAGE, self._handlers.console_page(search.show), _AS_PERMITTED)
        yield page_route("GET", HELP_PAGE, self._handlers.console_page(search.show_help), _AS_PERMITTED)

    def _approvals(self) -> Iterator[Route]:
        approvals, one = ApprovalPages(self._pages, self._parts.approvals, self._clock), f"{APPROVALS_PAGE}/{{id}}"
        yield page_route("GET", APPROVALS_PAGE, self._handlers.console_page(approvals.show_list), _WHO_DECIDES)
        yield page_route("GET", one, self._handlers.console_page(approvals.show), _WHO_DECIDES)
        acts = {"approve": approvals.approve, "reject": approvals.reject, "withdraw": approvals.withdraw}
        for verb, act in acts.items():
            handler = self._handlers.privileged_form(act, page=APPROVALS_PAGE)
            yield page_route("POST", f"{one}/{verb}", handler, _WHO_DECIDES)

    def _overview(self) -> Iterator[Route]:
        parts = self._parts
        found = OverviewParts(
            parts.db,
            parts.audit,
            parts.certificate_lists,
            parts.issuers,
            parts.outbox,
            parts.forwarding,
            parts.upstream_providers,
            parts.approvals,
        )
        overview = OverviewPages(self._pages, found, self._clock)
        yield page_route("GET", OVERVIEW_PAGE, self._handlers.console_page(overview.show), _AS_PERMITTED)

    def _certificates(self) -> Iterator[Route]:
        parts, one = self._parts, f"{ALL_CERTIFICATES_PAGE}/{{serial}}"
        certificates = AllCertificatePages(
            self._pages,
            CertificateParts(
                inventory=parts.inventory,
                lists=parts.certificate_lists,
                revocation=parts.revocation,
                issuers=parts.issuers,
                provisioners=parts.provisioners,
                directory=parts.directory,
                chain=CertificateChain(parts.db, parts.audit, parts.clients),
                sessions=parts.sessions,
            ),
            self._clock,
        )
        previews, handlers = CertificatePreviewPages(self._pages, parts.previews, parts.provisioners), self._handlers
        yield page_route("GET", PREVIEW_PAGE, handlers.console_page(previews.show), _WHAT_WOULD_BE)
        yield page_route("POST", PREVIEW_PAGE, handlers.asking_form(previews.preview, page=PREVIEW_PAGE), _WHAT_WOULD_BE)
        own = CertificatePages(self._pages, parts.inventory, parts.revocation, parts.issuers, self._clock)
        yield self._page(ALL_CERTIFICATES_PAGE, certificates.show_list, _P.CERTIFICATE_READ)
        yield self._page(f"{ALL_CERTIFICATES_PAGE}/export.csv", certificates.export, _P.CERTIFICATE_READ)
        yield self._page(one, certificates.show, _P.CERTIFICATE_READ)
        yield self._page(f"{one}/pem", own.download, _P.CERTIFICATE_READ)
        yield self._page(f"{one}/revoke", certificates.show_revocation, _P.CERTIFICATE_REVOKE, recent=True)
        yield self._form(f"{one}/revoke", certificates.revoke, _P.CERTIFICATE_REVOKE, page=ALL_CERTIFICATES_PAGE)

    def _authority(self) -> Iterator[Route]:
        authority = AuthorityPages(self._pages, self._parts.issuers, self._parts.provisioners, self._parts.profiles, self._clock)
        yield self._page(ISSUERS_PAGE, authority.show_issuers, _P.CERTIFICATE_READ)
        yield self._page(PROVISIONERS_PAGE, authority.show_provisioners, _P.PROVISIONER_READ)
        yield self._page(f"{PROVISIONERS_PAGE}/{{name}}", authority.show_provisioner, _P.PROVISIONER_READ)

    def _profiles(self) -> Iterator[Route]:
        profiles, one, write = (
            CertificateProfilePages(self._pages, self._parts.profiles),
            f"{PROFILES_PAGE}/{{name}}",
            _P.PROFILE_WRITE,
        )
        yield self._page(PROFILES_PAGE, profiles.show_list, _P.PROFILE_READ)
        yield self._page(f"{PROFILES_PAGE}/new", profiles.show_new, write, recent=True)
        yield self._form(f"{PROFILES_PAGE}/new", profiles.create, write, page=f"{PROFILES_PAGE}/new")
        yield self._page(one, profiles.show, _P.PROFILE_READ)
        yield self._page(f"{one}/edit", profiles.show_edit, write, recent=True)
        yield self._form(f"{one}/edit", profiles.edit, write, page=PROFILES_PAGE)
        yield self._page(f"{one}/delete", profiles.show_deletion, write, recent=True)
        yield self._form(f"{one}/delete", profiles.delete, write, page=PROFILES_PAGE)

    def _accounts(self) -> Iterator[Route]:
        parts = self._parts
        accounts = ServiceAccountPages(self._pages, parts.directory, parts.api_tokens, self._clock)
        recycle_bin = RecycleBinPages(self._pages, parts.recycle_bin, self._clock)
        kept = RECYCLE_BIN_PAGE
        yield self._page(SERVICE_ACCOUNTS_PAGE, accounts.show_list, _P.PERSON_READ)
        forms, own = ServiceAccountFormPages(self._pages, parts.directory, parts.api_tokens, self._clock), self._handlers
        all_, one, write = SERVICE_ACCOUNTS_PAGE, f"{SERVICE_ACCOUNTS_PAGE}/{{name}}", _P.PERSON_WRITE
        yield page_route("GET", one, own.console_page(accounts.show), _ACCOUNT_SHOWN)
        yield self._page(NEW_SERVICE_ACCOUNT_PAGE, forms.show_new, write, recent=True)
        yield self._form(NEW_SERVICE_ACCOUNT_PAGE, forms.create, write, page=NEW_SERVICE_ACCOUNT_PAGE)
        yield self._page(f"{one}/edit", forms.show_edit, write, recent=True)
        yield self._form(f"{one}/edit", forms.save, write, page=all_)
        yield self._page(f"{one}/disable", forms.show_disabling, write, recent=True)
        yield self._form(f"{one}/disable", forms.disable, write, page=all_)
        yield self._form(f"{one}/enable", forms.enable, write, page=all_)
        yield self._page(f"{one}/delete", forms.show_deletion, write, recent=True)
        yield self._form(f"{one}/delete", forms.delete, write, page=all_)
        yield page_route("GET", f"{one}/tokens", own.console_page(forms.show_new_token), _ACCOUNT_SHOWN)
        yield page_route("POST", f"{one}/tokens", own.console_form(forms.create_token, page=all_), _ACCOUNT_CHANGED)
        yield page_route("POST", f"{one}/tokens/revoke", own.console_form(forms.revoke_token, page=all_), _ACCOUNT_CHANGED)
        yield self._page(kept, recycle_bin.show, _P.PERSON_READ)
        yield self._form(f"{kept}/accounts/revive", recycle_bin.revive_account, _P.PERSON_WRITE, page=kept)
        yield self._form(f"{kept}/groups/revive", recycle_bin.revive_group, _P.GROUP_WRITE, page=kept)

    def _record(self) -> Iterator[Route]:
        parts = self._parts
        targets = AuditTargets(parts.db, parts.directory, parts.clients, parts.provisioners)
        record = AuditPages(self._pages, parts.db, parts.audit, parts.directory, targets, self._clock)
        yield self._page(AUDIT_PAGE, record.show, _P.AUDIT_READ)
        sinks, one = AuditSinkPages(self._pages, parts.forwarding, self._clock), f"{SINKS_PAGE}/{{name}}"
        yield self._page(SINKS_PAGE, sinks.show_list, _P.AUDIT_READ)
        yield self._page(NEW_SINK_PAGE, sinks.show_new, _P.AUDIT_WRITE, recent=True)
        yield self._form(NEW_SINK_PAGE, sinks.create, _P.AUDIT_WRITE, page=NEW_SINK_PAGE)
        yield self._form(f"{one}/test", sinks.test, _P.AUDIT_WRITE, page=SINKS_PAGE)
        yield self._page(f"{one}/delete", sinks.show_deletion, _P.AUDIT_WRITE, recent=True)
        yield self._form(f"{one}/delete", sinks.delete, _P.AUDIT_WRITE, page=SINKS_PAGE)
        yield self._page(SETTINGS_PAGE, SettingsPages(self._pages, parts.settings).show, _P.ISSUER_WRITE)

    def _people(self) -> Iterator[Route]:
        parts, one = self._parts, f"{PEOPLE_PAGE}/{{name}}"
        people = PeoplePages(
            self._pages,
            PeopleDependencies(
                directory=parts.directory,
                credentials=parts.credentials,
                passkeys=parts.passkeys,
                sessions=parts.sessions,
                roles=parts.roles,
                inventory=parts.inventory,
                clients=parts.clients,
                api_keys=parts.api_keys,
            ),
            self._clock,
        )
        yield self._page(PEOPLE_PAGE, people.show_list, _P.PERSON_READ)
        yield self._page(one, people.show, _P.PERSON_READ)
        yield self._page(f"{one}/disable", people.show_disabling, _P.PERSON_WRITE, recent=True)
        yield self._form(f"{one}/disable", people.disable, _P.PERSON_WRITE, page=PEOPLE_PAGE)
        yield self._form(f"{one}/enable", people.enable, _P.PERSON_WRITE, page=PEOPLE_PAGE)
        yield self._page(f"{one}/second-factors", people.show_second_factors, _P.PERSON_WRITE, recent=True)
        yield self._form(f"{one}/second-factors", people.remove_second_factors, _P.PERSON_WRITE, page=PEOPLE_PAGE)
        yield self._page(f"{one}/delete", people.show_deletion, _P.PERSON_WRITE, recent=True)
        yield self._form(f"{one}/delete", people.delete, _P.PERSON_WRITE, page=PEOPLE_PAGE)
        edit = PersonEditPages(self._pages, parts.directory, self._clock)
        yield self._page(f"{one}/edit", edit.show, _P.PERSON_WRITE, recent=True)
        yield self._form(f"{one}/edit", edit.save_names, _P.PERSON_WRITE, page=PEOPLE_PAGE)
        yield self._form(f"{one}/attributes", edit.save_attributes, _P.PERSON_WRITE, page=PEOPLE_PAGE)
        yield self._form(f"{one}/validity", edit.save_validity, _P.PERSON_WRITE, page=PEOPLE_PAGE)
        yield self._form(f"{one}/groups/add", edit.add_group, _P.GROUP_WRITE, page=PEOPLE_PAGE)
        yield self._form(f"{one}/groups/remove", edit.remove_group, _P.GROUP_WRITE, page=PEOPLE_PAGE)
        scopes = GrantScopes(parts.issuers, parts.provisioners, parts.profiles)
        roles = PersonRolePages(self._pages, parts.directory, parts.roles, scopes, self._clock)
        yield self._page(f"{one}/roles/grant", roles.show_grant, _P.ROLE_WRITE, recent=True)
        yield self._form(f"{one}/roles/grant", roles.grant, _P.ROLE_WRITE, page=PEOPLE_PAGE)
        yield self._page(f"{one}/roles/{{grant}}/withdraw", roles.show_withdrawal, _P.ROLE_WRITE, recent=True)
        yield self._form(f"{one}/roles/{{grant}}/withdraw", roles.withdraw, _P.ROLE_WRITE, page=PEOPLE_PAGE)
        links = PersonLinkPages(
            self._pages,
            directory=parts.directory,
            credentials=parts.credentials,
            invitations=parts.invitations,
            reset_links=parts.reset_links,
            outbox=parts.outbox,
        )
        yield self._page(NEW_PERSON_PAGE, links.show_new, _P.PERSON_WRITE, recent=True)
        yield self._form(NEW_PERSON_PAGE, links.invite, _P.PERSON_WRITE, page=NEW_PERSON_PAGE)
        yield self._page(f"{one}/link", links.show_link, _P.PERSON_WRITE, recent=True)
        yield self._form(f"{one}/link", links.create_link, _P.PERSON_WRITE, page=PEOPLE_PAGE)
        yield self._form(f"{one}/sessions/end", people.end_sessions, _P.SESSION_REVOKE, page=PEOPLE_PAGE)

    def _groups(self) -> Iterator[Route]:
        groups, one = GroupPages(self._pages, self._parts.directory, self._parts.account_policies), f"{GROUPS_PAGE}/{{name}}"
        yield self._page(GROUPS_PAGE, groups.show_list, _P.GROUP_READ)
        own = self._handlers
        yield page_route("GET", one, own.console_page(groups.show), _GROUP_SHOWN)
        for verb, act in {"add": groups.add_member, "remove": groups.remove_member}.items():
            yield page_route("POST", f"{one}/members/{verb}", own.console_form(act, page=GROUPS_PAGE), _GROUP_CHANGED)
        forms = GroupFormPages(self._pages, self._parts.directory, self._parts.account_policies)
        yield self._page(NEW_GROUP_PAGE, forms.show_new, _P.GROUP_WRITE, recent=True)
        yield self._form(NEW_GROUP_PAGE, forms.create, _P.GROUP_WRITE, page=NEW_GROUP_PAGE)
        yield page_route("GET", f"{one}/edit", own.console_page(forms.show_edit), _GROUP_SHOWN)
        yield page_route("POST", f"{one}/edit", own.console_form(forms.save, page=GROUPS_PAGE), _GROUP_CHANGED)
        yield self._page(f"{one}/policy", forms.show_policy, _P.ROLE_WRITE, recent=True)
        yield self._form(f"{one}/policy", forms.save_policy, _P.ROLE_WRITE, page=GROUPS_PAGE)
        yield self._page(f"{one}/delete", groups.show_deletion, _P.GROUP_WRITE, recent=True)
        yield self._form(f"{one}/delete", groups.delete, _P.GROUP_WRITE, page=GROUPS_PAGE)

    def _api_keys(self) -> Iterator[Route]:
        keys, one, own = ApiKeyPages(self._pages, self._parts.api_keys, self._clock), f"{API_KEYS_PAGE}/{{id}}", self._handlers
        yield page_route("GET", API_KEYS_PAGE, own.privileged_page(keys.show_mine), _OWN_RECENT)
        yield page_route("POST", API_KEYS_PAGE, own.privileged_form(keys.create, page=API_KEYS_PAGE), _OWN_RECENT)
        yield page_route("GET", one, own.personal_page(keys.show_one), _OWN)
        yield page_route("POST", f"{one}/rotate", own.privileged_form(keys.rotate, page=API_KEYS_PAGE), _OWN_RECENT)
        yield page_route("POST", f"{one}/narrow", own.privileged_form(keys.narrow, page=API_KEYS_PAGE), _OWN_RECENT)
        yield page_route("POST", f"{one}/revoke", own.personal_form(keys.revoke, page=API_KEYS_PAGE), _OWN)
        yield self._page(ALL_API_KEYS_PAGE, keys.show_all, _P.API_KEY_READ)
        yield self._form(f"{ALL_API_KEYS_PAGE}/revoke", keys.revoke_any, _P.API_KEY_WRITE, page=ALL_API_KEYS_PAGE)

    def _clients(self) -> Iterator[Route]:
        clients = ClientPages(self._pages, self._parts.clients)
        yield self._page(CLIENTS_PAGE, clients.show_list, _P.CLIENT_READ)
        yield self._page(f"{CLIENTS_PAGE}/{{name}}", clients.show, _P.CLIENT_READ)

    def _trusted_issuers(self) -> Iterator[Route]:
        issuers, all_ = TrustedIssuerPages(self._pages, self._parts.trusted_issuers), TRUSTED_ISSUERS_PAGE
        one, read, write = f"{all_}/{{name}}", _P.CLIENT_READ, _P.CLIENT_WRITE
        yield self._page(all_, issuers.show_list, read)
        yield self._page(NEW_ISSUER_PAGE, issuers.show_new, write, recent=True)
        yield self._form(NEW_ISSUER_PAGE, issuers.create, write, page=NEW_ISSUER_PAGE)
        assertions = AssertionPages(self._pages, self._parts.assertion_explanations)
        yield self._page(EXPLAIN_PAGE, assertions.show, read, recent=True)
        yield self._form(EXPLAIN_PAGE, assertions.explain, read, page=EXPLAIN_PAGE)
        yield self._page(one, issuers.show, read)
        edits = TrustedIssuerEdits(self._pages, self._parts.trusted_issuers)
        yield self._page(f"{one}/edit", edits.show, write, recent=True)
        yield self._form(f"{one}/edit", edits.change, write, page=all_)
        yield self._page(f"{one}/rules/{{id}}/edit", edits.show_rule, write, recent=True)
        yield self._form(f"{one}/rules/{{id}}/edit", edits.change_rule, write, page=all_)
        yield self._page(f"{one}/rules", issuers.show_new_rule, write, recent=True)
        yield self._form(f"{one}/rules", issuers.add_rule, write, page=all_)
        yield self._page(f"{one}/rules/{{id}}/delete", issuers.show_rule_deletion, write, recent=True)
        yield self._form(f"{one}/rules/{{id}}/delete", issuers.delete_rule, write, page=all_)
        yield self._page(f"{one}/delete", issuers.show_deletion, write, recent=True)
        yield self._form(f"{one}/delete", issuers.delete, write, page=all_)

    def _identity_providers(self) -> Iterator[Route]:
        parts, one = self._parts, f"{PROVIDERS_PAGE}/{{id}}"
        shown = IdentityProviderPages(self._pages, parts.upstream_providers, parts.roles, parts.sign_in_records)
        read, write = _P.OIDC_PROVIDER_READ, _P.OIDC_PROVIDER_WRITE
        yield self._page(PROVIDERS_PAGE, shown.show_list, read)
        yield self._page(f"{PROVIDERS_PAGE}/new", shown.show_new, write, recent=True)
        yield self._form(f"{PROVIDERS_PAGE}/new", shown.create, write, page=f"{PROVIDERS_PAGE}/new")
        yield self._page(one, shown.show, read)
        yield self._page(f"{one}/edit", shown.show_edit, write, recent=True)
        yield self._form(f"{one}/edit", shown.edit, write, page=PROVIDERS_PAGE)
        yield self._form(f"{one}/refresh", shown.refresh, write, page=PROVIDERS_PAGE)
        yield self._form(f"{one}/mappings", shown.add_mapping, write, page=PROVIDERS_PAGE)
        yield self._form(f"{one}/mappings/remove", shown.remove_mapping, write, page=PROVIDERS_PAGE)
        yield self._page(f"{one}/delete", shown.show_deletion, write, recent=True)
        yield self._form(f"{one}/delete", shown.delete, write, page=PROVIDERS_PAGE)
        yield self._page(f"{one}/sign-ins/{{sign_in}}", shown.explain, read)
