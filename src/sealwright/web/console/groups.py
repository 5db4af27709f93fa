"""Groups: the list, one group with its members, roles and policy, and who is in it."""

from __future__ import annotations

from typing import Final

from sealwright.access import BUILTIN_GROUPS, DYNAMIC_GROUPS, Permission
from sealwright.clock import in_words
from sealwright.http import Response
from sealwright.identity import AccountPolicies, Directory, Group, GroupPolicy, SignedIn
from sealwright.web.console.frame import Question, ask, context_of, typed_wrong
from sealwright.web.console.listing import ON_A_PAGE, Column, read_listing
from sealwright.web.navigation import PageLink
from sealwright.web.notices import done, notice_text
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import ConsoleContext, Pages

GROUPS_PAGE: Final = "/ui/groups"
NEW_GROUP_PAGE: Final = "/ui/new/group"
_COLUMNS = (Column("Group"), Column("Kind"), Column("Since"))


class GroupPages:
    """The directory checks the permissions."""

    def __init__(self, pages: Pages, directory: Directory, policies: AccountPolicies) -> None:
        self._pages = pages
        self._directory = directory
        self._policies = policies

    async def show_list(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Groups by name, a page at a time."""
        listing = read_listing(page_request.request, GROUPS_PAGE)
        found = await self._directory.list_groups(
            actor=person.actor, search=listing.search, beyond=listing.after, at_most=ON_A_PAGE + 1
        )
        return self._pages.console(
            "groups.html",
            context_of(page_request, person),
            listing=listing,
            columns=_COLUMNS,
            groups=found[:ON_A_PAGE],
            next=found[ON_A_PAGE - 1].name if len(found) > ON_A_PAGE else "",
            notice=notice_text(page_request.request),
        )

    async def show(self, page_request: PageRequest, person: SignedIn) -> Response:
        """One group: its members, what it asks of them, and what uses it."""
        group = await self._group(page_request, person)
        path = f"{GROUPS_PAGE}/{group.name}"
        listing = read_listing(page_request.request, path)
        members = await self._directory.members_page(group, beyond=listing.after, at_most=ON_A_PAGE, actor=person.actor)
        used_by: list[str] = []
        writes = person.actor.holds(Permission.GROUP_WRITE)
        if writes:
            _, used_by = await self._directory.impact_of_deletion_of_group(group.name, actor=person.actor)
        policy = await self._policies.show(group.name, actor=person.actor)
        return self._pages.console(
            "group.html",
            context_of(page_request, person),
            group=group,
            listing=listing,
            members=members.accounts,
            next=members.next,
            nested=await self._directory.groups_in(group, actor=person.actor),
            computed=group.id in DYNAMIC_GROUPS,
            roles=tuple(map(str, BUILTIN_GROUPS[group.id][1])) if group.id in BUILTIN_GROUPS else (),
            policy=policy_in_words(policy),
            used_by=used_by,
            manager=await self._directory.manager_of(group),
            may_change=writes or await self._directory.is_managed_by(group, person.actor),
            errors=(),
            notice=notice_text(page_request.request),
        )

    async def add_member(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Put an account or a group into it."""
        group = await self._group(page_request, person)
        await self._directory.add_members(group.name, [page_request.typed("member").strip()], actor=person.actor)
        return done(f"{GROUPS_PAGE}/{group.name}", "member-added")

    async def remove_member(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Take an account or a group out of it."""
        group = await self._group(page_request, person)
        await self._directory.remove_members(group.name, [page_request.typed("member")], actor=person.actor)
        return done(f"{GROUPS_PAGE}/{group.name}", "member-removed")

    async def show_deletion(self, page_request: PageRequest, person: SignedIn) -> Response:
        """What ends with the group, and the question whether to."""
        group = await self._group(page_request, person)
        return ask(self._pages, self._context(page_request, person, group), await self._question(group, person))

    async def delete(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Move the group to the recycle bin."""
        group = await self._group(page_request, person)
        question = await self._question(group, person)
        wrong = typed_wrong(page_request, question)
        if wrong:
            return ask(self._pages, self._context(page_request, person, group), question, errors=wrong, status=422)
        await self._directory.delete_group(group.name, even_if_used=True, actor=person.actor)
        return done(GROUPS_PAGE, "group-deleted")

    async def _group(self, page_request: PageRequest, person: SignedIn) -> Group:
        return await self._directory.show_group(page_request.request.path_parameters["name"], actor=person.actor)

    @staticmethod
    def _context(page_request: PageRequest, person: SignedIn, group: Group) -> ConsoleContext:
        return context_of(page_request, person, PageLink(f"{GROUPS_PAGE}/{group.name}", group.name))

    async def _question(self, group: Group, person: SignedIn) -> Question:
        members, used_by = await self._directory.impact_of_deletion_of_group(group.name, actor=person.actor)
        path = f"{GROUPS_PAGE}/{group.name}"
        return Question(
            title=f"Delete the group {group.name}?",
            impact=((members, "members lose what they have by it"), (len(used_by), "places use it")),
            after=(
                *(f"It is used by {each}." for each in used_by),
                "For 7 days it is in the recycle bin and can be revived, without roles and maps of clients. Then it is gone.",
            ),
            action=f"{path}/delete",
            button=f"Delete {group.name}",
            keep=path,
            type_name=group.name if members > 1 or used_by else "",
        )


def policy_in_words(policy: GroupPolicy | None) -> tuple[str, ...]:
    """What a group asks of the sign-ins of its members, in sentences."""
    if policy is None:
        return ()
    found = []
    if policy.credential_minimum is not None:
        found.append(f"A sign-in needs {policy.credential_minimum.words}.")
    if policy.auth_expiry is not None:
        found.append(f"A sign-in lasts {in_words(policy.auth_expiry)}.")
    if policy.privilege_expiry is not None:
        found.append(f"Changes can be made for {in_words(policy.privilege_expiry)} after a sign-in.")
    if policy.password_minimum_length is not None:
        found.append(f"A password has at least {policy.password_minimum_length} characters.")
    if policy.self_mail_write is not None:
        found.append(f"They {'may' if policy.self_mail_write else 'may not'} change their own e-mail addresses.")
    return tuple(found)
