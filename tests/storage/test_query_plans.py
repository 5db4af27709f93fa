"""What is searched is found by an index, on both engines, however much there is."""

import re
from contextlib import closing

import apsw
import pytest
from sqlalchemy import bindparam, func, select, text

from sealwright.access import store as access_store
from sealwright.audit import store as audit_store
from sealwright.ca import store as certificate_store
from sealwright.ca.lists import store as lists_store
from sealwright.db import Statement, open_database
from sealwright.db.migrate import migrate
from sealwright.db.schema import audit_events
from sealwright.identity import store as identity_store
from sealwright.identity.api_tokens import store as tokens_store
from sealwright.identity.devices import store as devices_store
from sealwright.identity.directory import store as people_store
from sealwright.identity.name_search import store as people_words
from sealwright.identity.passkeys import store as passkeys_store
from sealwright.identity.purge import store as purge_store
from sealwright.oauth import store as oauth_store

TWO_TARGETS = audit_store._search(2, 0, "", frozenset({"target_0", "target_1", "since", "at_most"}))
PERIOD = audit_store._search(0, 0, "", frozenset({"since", "until", "at_most"}))
PLACE = {"since": 0, "last_at": 1, "last_writer": "w", "last_sequence": 1}
NEXT_PAGE = audit_store._search(0, 0, "", frozenset({*PLACE, "since", "at_most"}))
CALLED = {"first": b"a", "end": b"b", "older_than": b"\xff", "at_most": 10}

GONE = {"target": "a:1", "event_0": "x", "event_1": "y"}
ABOUT = {"target_0": "a:1", "target_1": "a:2", "since": 0, "at_most": 10}
NEWEST = {"since": 0, "at_most": 10}

SEARCHES = [
    pytest.param(certificate_store._NEWEST_CALLED, CALLED, "certificate_names", id="certificates-by-name"),
    pytest.param(
        certificate_store._NEWEST_CALLED_OF_ACCOUNT, {**CALLED, "account_id": "a"}, "certificate_names", id="of-a-person-by-name"
    ),
    pytest.param(
        audit_store._search(0, 0, "", frozenset({"since", "at_most"})),
        {"since": 0, "at_most": 10},
        "ix_audit_events_at",
        id="newest-events",
    ),
    pytest.param(PERIOD, {"since": 1, "until": 2, "at_most": 10}, "ix_audit_events_at", id="events-of-a-period"),
    pytest.param(NEXT_PAGE, {**PLACE, "at_most": 10}, "ix_audit_events_at", id="next-page-of-events"),
    pytest.param(
        TWO_TARGETS,
        {"target_0": "a:1", "target_1": "a:2", "since": 0, "at_most": 10},
        "ix_audit_events_target",
        id="events-about",
    ),
    pytest.param(
        audit_store._BEGAN_OR_ENDED,
        GONE,
        "ix_audit_events_target",
        id="name-of-gone",
    ),
    pytest.param(audit_store._CALLED, {"name": "x", "first": "a:", "end": "a;"}, "audit_names", id="targets-by-name"),
]

KINDS = {"event_0": "x.y", "event_1": "x.z", "since": 0, "at_most": 10}
BY = {"by_id": "a", "by_name": "b", "since": 0, "at_most": 10}
OF_REQUEST = {"request_id": "r", "since": 0, "at_most": 10}
SEARCHES += [
    pytest.param(audit_store._search(0, 2, "", frozenset(KINDS)), KINDS, "ix_audit_events_event", id="events-of-kinds"),
    *[
        pytest.param(
            audit_store._search(0, 0, "", frozenset(BY)), BY, f"ix_audit_events_actor_{column}", id=f"events-by-{column}"
        )
        for column in ("id", "name")
    ],
    *[
        pytest.param(audit_store._search(0, 0, outcome, frozenset(NEWEST)), NEWEST, index, id=f"events-{outcome}")
        for outcome, index in (("refused", "ix_audit_events_outcome"), ("done", "ix_audit_events_at"))
    ],
    pytest.param(
        audit_store._search(0, 0, "", frozenset(OF_REQUEST)), OF_REQUEST, "ix_audit_events_request_id", id="events-of-a-request"
    ),
    pytest.param(
        audit_store._search(2, 2, "refused", frozenset({**ABOUT, **KINDS, **BY})),
        {**ABOUT, **KINDS, **BY},
        "ix_audit_events_",
        id="events-by-everything-at-once",
    ),
]

OLD = {"before": 9, "never": 10, "from_at": 0, "from_id": "", "at_most": 5}
OVER = {"before": 9, "at_most": 5}
SEARCHES += [
    pytest.param(people_store._GROUPS_OF, {"account_id": "a"}, "ix_group_members_account_id", id="groups-of-a-person"),
    pytest.param(oauth_store._OLD_FAMILIES, OLD, "ix_oauth_families_created_at", id="old-authorizations"),
    pytest.param(oauth_store._OLD_FAMILIES, OLD, "ix_oauth_refresh_tokens_family_id", id="tokens-of-old-authorizations"),
    pytest.param(oauth_store._PURGE_REQUESTS, OVER, "ix_oauth_answered_requests_expires_at", id="old-requests"),
    pytest.param(oauth_store._PURGE_REFRESH_TOKENS, OVER, "ix_oauth_refresh_tokens_expires_at", id="old-refresh-tokens"),
    pytest.param(
        oauth_store._REVOKE_FAMILIES_OF_CLIENT,
        {"which_client": "c", "revoked": 1, "reason": "x"},
        "ix_oauth_families_client_id",
        id="authorizations-of-a-client",
    ),
]

GROUPS = {f"group_{number}": "g" for number in range(oauth_store.GROUPS_AT_ONCE)}
NOBODY = {"why": "reset", "of": "a"}
SEARCHES += [
    pytest.param(oauth_store._CLIENTS_BY_GROUP, GROUPS, "ix_oauth_scope_maps_group_id", id="clients-of-ones-groups"),
    *[
        pytest.param(oauth_store._CLIENTS_OF_GROUP, {"group_id": "g"}, f"ix_oauth_{maps}_group_id", id=f"{maps}-of-a-group")
        for maps in ("scope_maps", "supplementary_scope_maps", "claim_maps")
    ],
    pytest.param(oauth_store._GRANTS_TO_CLIENT, {"whose": "c"}, "ix_oauth_consents_client_id", id="consents-to-a-client"),
    pytest.param(identity_store._DELETE_LINKS_OF, NOBODY, "ix_one_time_links_account_id", id="links-of-a-person"),
    pytest.param(purge_store._DELETE_OLD_PENDING, OVER, "ix_pending_sign_ins_expires_at", id="old-sign-ins"),
    pytest.param(purge_store._DELETE_OLD_LINKS, OVER, "ix_one_time_links_expires_at", id="old-links"),
    pytest.param(purge_store._DELETE_OLD_ATTEMPTS, OVER, "ix_throttles_counted_since", id="old-attempts"),
    pytest.param(purge_store._OLD_SESSIONS, {**OVER, "from_at": 0, "from_id": ""}, "ix_sessions_expires_at", id="old-sessions"),
    pytest.param(devices_store._DELETE_OLD, OVER, "ix_known_devices_last_used_at", id="old-devices"),
    pytest.param(tokens_store._DELETE_OLD, OVER, "ix_api_tokens_expires_at", id="old-api-tokens"),
    pytest.param(passkeys_store._DELETE_OLD_CHALLENGES, OVER, "ix_used_challenges_expires_at", id="old-challenges"),
    pytest.param(
        certificate_store._PURGE_TOKENS, {"beyond": b"a", "last": b"b", "before": 9}, "used_tokens", id="used-tokens-of-a-page"
    ),
]


SEARCHES += [
    pytest.param(lists_store._EDGE, {"older_than": b"z", "window": 5}, "certificates", id="edge-of-a-window"),
    pytest.param(
        lists_store._MATCHING,
        {"older_than": b"z", "edge": b"a", "issuer": "i", "provisioner": "", "which": "valid", "pattern": "%web%"}
        | {"now": 1, "from_": 0, "until": 9, "at_most": 5},
        "certificates",
        id="matching-certificates",
    ),
    pytest.param(lists_store._REVOKED, {"older_than": b"z", "at_most": 5}, "ix_certificates_revoked", id="revoked-certificates"),
    pytest.param(lists_store._UNRESOLVED, {}, "ix_certificates_unresolved", id="certificates-perhaps-signed"),
    pytest.param(
        lists_store._ENDING,
        {"beyond": 1, "until": 2, "after_serial": b"", "at_most": 5},
        "ix_certificates_lasting",
        id="certificates-that-end",
    ),
    pytest.param(
        lists_store._ENDING,
        {"beyond": 1, "until": 2, "after_serial": b"", "at_most": 5},
        "ix_certificates_renewed_from",
        id="successors-of-certificates-that-end",
    ),
    pytest.param(
        lists_store._LATER_CALLED,
        {"key": b"a", "serial": b"b", "at_most": 5},
        "certificate_names",
        id="later-certificates-of-a-name",
    ),
    pytest.param(
        people_store._MEMBERS_PAGE, {"group_id": "g", "beyond": "a", "at_most": 5}, "group_members", id="members-of-a-group"
    ),
    pytest.param(access_store._GRANTS_HELD, {"account_id": "a"}, "ix_group_members_account_id", id="roles-of-a-person"),
]


ONE = {"first_0": b"a", "end_0": b"b", "beyond": "", "at_most": 5}
TWO = {**ONE, "first_1": b"c", "end_1": b"d"}
SEARCHES += [
    *[
        pytest.param(
            people_store._accounts_called(number, number),
            {**given, "kind": "person"},
            "account_words",
            id=f"people-by-{number}-words",
        )
        for number, given in ((1, ONE), (2, TWO))
    ],
    *[
        pytest.param(people_store._groups_called(number), given, "group_words", id=f"groups-by-{number}-words")
        for number, given in ((1, ONE), (2, TWO))
    ],
    pytest.param(
        people_store._accounts_called(2, 0),
        {**TWO, "kind": "person"},
        "ix_account_words_account_id",
        id="people-looked-through",
    ),
    pytest.param(people_words._COUNT_ACCOUNTS, {**ONE, "kind": "person"}, "account_words", id="how-many-words-begin-so"),
    pytest.param(certificate_store._COUNT_CALLED, {**CALLED}, "certificate_names", id="how-many-names-end-so"),
    pytest.param(people_store._PAGE, {"kind": "person", "beyond": "", "at_most": 5}, "accounts", id="people-by-name"),
]


class Explained(Statement):
    """A statement that is not run: its rows are the engine's plan for it."""

    def __init__(self, statement):
        self.statement = statement

    @property
    def for_sqlite(self):
        return self._with_prefix("EXPLAIN QUERY PLAN ", self.statement.for_sqlite)

    @property
    def for_postgresql(self):
        return self._with_prefix("EXPLAIN ", self.statement.for_postgresql)

    @staticmethod
    def _with_prefix(prefix, compiled):
        explained = object.__new__(type(compiled))
        explained.__dict__ |= {**compiled.__dict__, "text": prefix + compiled.text}
        return explained


async def plan(open_scratch, statement, given):
    """The plan in one text. PostgreSQL shall read no whole table, as it would for a few rows, and forget that it saw few."""

    async with open_scratch() as db:

        async def body(tx):
            if "Postgresql" in type(db).__name__:
                await tx.run(Statement(text("SET LOCAL enable_seqscan = off")))
                await tx.run(
                    Statement(text("UPDATE pg_class SET relpages = 0, reltuples = -1 WHERE relkind = 'r' AND relpages = 0"))
                )
            return await tx.all(Explained(statement), **given)

        return "\n".join(str(row[-1]) for row in await db.write(body))


@pytest.mark.parametrize(("statement", "given", "index"), SEARCHES)
async def test_search_reads_an_index_and_no_whole_table(open_scratch, statement, given, index):
    told = await plan(open_scratch, statement, given)
    assert index in told, told
    assert "Seq Scan" not in told
    recursion = ("SCAN held", "SCAN joined", "SCAN membership", "SCAN chosen", "SCAN named", "SCAN counted", "SCAN CONSTANT ROW")
    whole = [line for line in told.splitlines() if line.startswith("SCAN") and " USING " not in line]
    assert [line for line in whole if line not in recursion and not line.startswith(("SCAN page_", "SCAN anon_"))] == [], told


def row_of_event(number, *, done):
    """Of what was done all is of one kind, by one actor, and about one thing; of what was refused each is another."""
    which = {"event": "x.y", "actor_id": "a", "actor_name": "b", "target": "a:1"}
    if not done:
        which = {name: f"{value}{number % 50}" for name, value in which.items()}
    common = {"at": number, "actor_kind": "person", "details": "{}", "previous": b"", "digest": b"", "request_id": ""}
    return (
        {"writer_id": str(done), "sequence": number, "outcome": "done" if done else ("refused", "failed")[number % 2]}
        | which
        | common
    )


class Planned(Exception):
    """Takes back the rows and their statistics, on which the plans of other tests would depend."""


NOT_DONE = [
    (2, 0, ABOUT, ["target", "target"]),
    (0, 2, KINDS, ["event", "event"]),
    (0, 2, {**KINDS, **PLACE, "until": 9}, ["event", "event"]),
    (0, 0, BY, ["actor_id", "actor_name"]),
]


async def test_what_was_not_done_is_found_without_reading_what_was(open_scratch):
    asked = [(outcome, *each) for outcome in ("refused", "failed") for each in NOT_DONE]

    async with open_scratch() as db:

        async def body(tx):
            rows = [row_of_event(number, done=done) for number in range(1_000) for done in (True, False)]
            await tx.run_many(audit_store._INSERT, rows)
            await tx.run(Statement(text("ANALYZE audit_events")))
            found = []
            for outcome, targets, events, given, _ in asked:
                statement = audit_store._search(targets, events, outcome, frozenset(given))
                found.append("\n".join(str(row[-1]) for row in await tx.all(Explained(statement), **given)))
            raise Planned(found)

        with pytest.raises(Planned) as planned:
            await db.write(body)
        on_postgresql = "Postgresql" in type(db).__name__
        if on_postgresql:
            await db.write(lambda tx: tx.run(Statement(text("TRUNCATE audit_events"))))  # how large it was is not taken back
    for told, (_, _, _, _, columns) in zip(planned.value.args[0], asked, strict=True):
        read = ["event"] if on_postgresql and "event" in columns else columns  # there one plan is for all events
        assert sorted(re.findall(r"ix_audit_events_\w+", told)) == [f"ix_audit_events_{each}_not_done" for each in read], told
        assert "Seq Scan" not in told


async def test_person_who_signs_in_is_found_by_name_and_by_address_without_looking_at_others(open_scratch):
    told = await plan(open_scratch, identity_store._PASSWORD_BY_NAME, {"name": "alice", "mail": "alice@example.org"})
    assert "mail_addresses" in told
    assert not any(whole in told for whole in ("MULTI-INDEX OR", "SCAN accounts", "hashed SubPlan", "Seq Scan on accounts")), told


async def test_search_for_what_has_no_index_is_told_apart(open_scratch):
    writer = Statement(select(func.count()).select_from(audit_events).where(audit_events.c.details == bindparam("who")))
    told = await plan(open_scratch, writer, {"who": "a"})
    assert "SCAN audit_events" in told or "Filter" in told or "Seq Scan" in told
    assert not any(name in told for name in ("ix_audit_events_target", "ix_audit_events_at"))


async def test_statistics_that_someone_had_sqlite_make_of_small_tables_change_no_plan(tmp_path):
    url = f"sqlite:///{tmp_path}/small.db"
    plans = []
    for name in ("g", "h"):
        await migrate(url)
        db = await open_database(url)
        of_group = {"group_id": "g", "beyond": "a", "at_most": 5}
        rows = await db.all(Explained(people_store._MEMBERS_PAGE), **of_group)
        await db.close()
        plans.append("\n".join(str(row[-1]) for row in rows))
        with closing(apsw.Connection(str(tmp_path / "small.db"))) as other:
            people = "INSERT INTO accounts (id, kind, name, display_name, created_at, updated_at)"
            other.execute(f"{people} VALUES (?, 'person', ?, '', 0, 0)", (name, name))
            other.execute("INSERT INTO groups (id, name, description, builtin, created_at) VALUES (?, ?, '', 0, 0)", (name, name))
            other.execute("INSERT INTO group_members (group_id, account_id) VALUES (?, ?)", (name, name))
            other.execute("ANALYZE")
            assert other.execute("SELECT count(*) FROM sqlite_stat1").get
    assert plans[0] == plans[1]
