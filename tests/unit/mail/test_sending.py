"""Links by mail: what a real SMTP server gets, when it is tried again, and what is told."""

import asyncio
import threading
from datetime import timedelta

import msgspec
import pytest

from sealwright.access import SYSTEM
from sealwright.identity import secret_digest
from sealwright.mail import Content, Delivery, DeliveryState, Draft, MailKind, MailServerUnusable, SmtpServer
from tests.live import free_ports
from tests.smtp_sink import dripping_server, silent_server, smtp_sink
from tests.unit.identity.world import PASSWORD
from tests.unit.mail.world import LINK, mail_settings, mail_world

MINUTE = timedelta(minutes=1)
CONTENT = Content("Alice", "Subject", "Text")


async def test_invitation_is_sent_and_says_what_it_is_who_asked_and_when_it_ends(tmp_path):
    with smtp_sink(tmp_path) as sink:
        async with mail_world(mail_settings(sink, reply_to="help@example.org")) as world:
            answer = await world.invite()
            assert answer["mail"] == {"to": "alice@example.org", "state": "sent", "detail": ""}
            (taken,) = sink.taken
            assert (taken.sender, taken.recipient) == ("id@example.org", "alice@example.org")
            message = taken.message
            assert message["From"] == "Example <id@example.org>"
            assert message["To"] == "Alice <alice@example.org>"
            assert message["Subject"] == "Your invitation to Example"
            assert message["Auto-Submitted"] == "auto-generated"
            assert message["Reply-To"] == "help@example.org"
            assert message["Message-ID"].endswith("@example.org>")
            assert message["Date"].datetime.timestamp() == world.clock.now() // 1000
            assert answer["link"] in taken.text.split()
            for words in (
                "Hello Alice",
                "desk invites you to Example",
                "It works once, until 21 Nov 2026",
                "If you did not expect",
            ):
                assert words in taken.text
            assert "tell help@example.org" in taken.text
            done = await world.invitations.accept(LINK.findall(taken.text)[0], PASSWORD, address="192.0.2.1")
            assert done.signed_in.account.name == "alice"


async def test_reset_link_is_sent_to_the_first_verified_address(tmp_path):
    with smtp_sink(tmp_path) as sink:
        async with mail_world(mail_settings(sink)) as world:
            await world.person("alice", mails=("alice@example.org", "a@example.net"))
            status, answer = await world.call("POST", "/persons/alice/reset-link", {}, token=world.desk)
            assert (status, answer["mail"]["state"]) == (201, "sent")
            (taken,) = sink.taken
            assert taken.recipient == "alice@example.org"
            assert taken.message["Subject"] == "Set a new password for Example"
            assert answer["link"] in taken.text.split()
            assert "desk made a link" in taken.text


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_message_goes_over_tls_whose_certificate_verifies_and_with_a_password(tmp_path, tls):
    password = tmp_path / "password"
    password.touch(mode=0o600)
    password.write_text("open sesame\n")

    with smtp_sink(tmp_path, tls=tls, user=("id", "open sesame")) as sink:
        async with mail_world(mail_settings(sink, username="id", password_file=password)) as world:
            assert (await world.invite())["mail"]["state"] == "sent"
            (taken,) = sink.taken
            assert (taken.over_tls, taken.user) == (True, "id")
            assert "signed in" in await world.outbox.check()


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_nothing_is_sent_to_a_server_whose_certificate_does_not_verify(tmp_path, tls):
    password = tmp_path / "password"
    password.touch(mode=0o600)
    password.write_text("open sesame\n")

    with smtp_sink(tmp_path, tls=tls, user=("id", "open sesame"), trusted=False) as sink:
        async with mail_world(mail_settings(sink, username="id", password_file=password)) as world:
            told = (await world.invite())["mail"]
            assert told["state"] == "queued"
            assert f"The certificate of localhost:{sink.port} is not trusted" in told["detail"]
            assert (sink.taken, sink.passwords) == ([], [])
            assert len(await world.rows()) == 1


async def test_certificate_must_be_for_the_host_of_the_settings(tmp_path):
    with smtp_sink(tmp_path, tls="implicit", host="127.0.0.2") as sink:
        async with mail_world(mail_settings(sink, host="127.0.0.2")) as world:
            told = (await world.invite())["mail"]
            assert "is not trusted" in told["detail"]
            assert sink.taken == []


async def test_nothing_is_sent_where_starttls_is_set_and_not_offered(tmp_path):
    with smtp_sink(tmp_path) as sink:
        async with mail_world(mail_settings(sink, tls="starttls")) as world:
            told = (await world.invite())["mail"]
            assert told["state"] == "queued"
            assert "does not offer STARTTLS" in told["detail"]
            assert sink.taken == []


async def test_password_that_the_server_refuses_is_told_without_it(tmp_path):
    password = tmp_path / "password"
    password.touch(mode=0o600)
    password.write_text("wrong-but-secret\n")

    with smtp_sink(tmp_path, user=("id", "open sesame")) as sink:
        async with mail_world(mail_settings(sink, username="id", password_file=password)) as world:
            told = (await world.invite())["mail"]
            assert told["state"] == "queued"
            assert "refused the user name id or its password: 535" in told["detail"]
            assert "wrong-but-secret" not in f"{told}{world.log.lines}{await world.rows()}"
            assert sink.passwords[0] == "wrong-but-secret"
            password.write_text("open sesame\n")
            world.clock.advance(MINUTE)
            await world.outbox.send_due()
            assert len(sink.taken) == 1


async def test_greylisted_message_waits_and_is_sent_once(tmp_path):
    with smtp_sink(tmp_path) as sink:
        sink.replies["RCPT"] = ["451 4.7.1 greylisted, try later"]
        async with mail_world(mail_settings(sink)) as world:
            told = (await world.invite())["mail"]
            assert told["state"] == "queued"
            assert "451 4.7.1 greylisted, try later" in told["detail"]
            await world.outbox.send_due()
            assert sink.taken == []
            world.clock.advance(timedelta(seconds=10))
            await world.outbox.send_due()
            world.clock.advance(MINUTE)
            await world.outbox.send_due()
            assert len(sink.taken) == 1
            assert await world.rows() == []
            ((event, outcome, details),) = await world.mail_events()
            assert (event, outcome) == ("mail.sent", "done")
            assert msgspec.json.decode(details) == {"kind": "invitation", "to": "alice@example.org", "tries": 2}


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "MESSAGE"])
async def test_message_that_is_refused_for_good_is_given_up_and_told(tmp_path, verb):
    with smtp_sink(tmp_path) as sink:
        sink.replies[verb] = ["550 5.1.1 no one of that name"]
        async with mail_world(mail_settings(sink)) as world:
            answer = await world.invite()
            assert answer["mail"]["state"] == "failed"
            assert "550 5.1.1 no one of that name" in answer["mail"]["detail"]
            assert await world.rows() == []
            ((event, outcome, details),) = await world.mail_events()
            assert (event, outcome) == ("mail.failed", "failed")
            assert "550 5.1.1 no one of that name" in details
            assert (world.log.lines[0][0], world.log.lines[0][1]) == ("warning", "mail given up")
            world.clock.advance(MINUTE)
            await world.outbox.send_due()
            assert sink.taken == []


async def test_server_that_is_down_gets_the_message_when_it_is_up(tmp_path):
    (port,) = free_ports(1)
    async with mail_world(mail_settings(port)) as world:
        told = (await world.invite())["mail"]
        assert (told["state"], told["detail"]) == ("queued", f"localhost:{port} cannot be used: no one listens there.")
        waiting = await world.outbox.status()
        assert (waiting.count, waiting.last_failure) == (1, told["detail"])
        with smtp_sink(tmp_path, port=port) as sink:
            world.clock.advance(timedelta(seconds=10))
            await world.outbox.send_due()
            assert [each.recipient for each in sink.taken] == ["alice@example.org"]
        assert (await world.outbox.status()).count == 0


async def test_pauses_between_tries_grow_and_end_with_the_link():
    (port,) = free_ports(1)
    async with mail_world(mail_settings(port)) as world:
        made = world.clock.now()
        await world.invite(lifetime_seconds=3_600)
        waits = []
        while rows := await world.rows():
            due = rows[0]["next_try_at"]
            waits.append((due - world.clock.now()) // 1000)
            world.clock.advance(timedelta(milliseconds=due - world.clock.now()))
            await world.outbox.send_due()
        assert waits[:6] == [10, 20, 40, 80, 160, 320]
        assert max(waits) <= 900
        assert world.clock.now() - made == 3_600_000
        ((event, _, details),) = await world.mail_events()
        assert event == "mail.failed"
        assert "Its link ended." in details
        assert "no one listens there" in details


async def test_server_that_never_speaks_holds_up_no_one_who_asks():
    with silent_server() as port:
        async with mail_world(mail_settings(port)) as world:
            await world.invite(send_mail=False)
            account = await world.directory.find("alice")
            link = await world.reset.create("alice", actor=SYSTEM)
            draft = Draft(MailKind.RESET, account.id, "alice@example.org", secret_digest(link.token), CONTENT, link.expires_at)
            queued = await world.db.write(lambda tx: world.outbox.queue(tx, draft))
            told = await world.outbox.send_now(queued, timedelta(milliseconds=50))
            assert told == Delivery(DeliveryState.QUEUED, "The SMTP server has not taken it yet.")


def test_conversation_that_never_ends_is_cut_off():
    with dripping_server() as port:
        server = SmtpServer(mail_settings(port), "localhost", timedelta(seconds=1))
        with pytest.raises(MailServerUnusable, match="took longer than 1 second"):
            asyncio.run(server.check())


async def test_end_of_a_process_waits_for_what_is_being_sent(tmp_path):
    with smtp_sink(tmp_path) as sink:
        async with mail_world(mail_settings(sink)) as world:
            sink.pause = threading.Event()
            asking = asyncio.create_task(world.invite())
            await asyncio.to_thread(sink.reached.wait, 30)
            ending = asyncio.create_task(world.outbox.settle())
            await asyncio.sleep(0)
            assert not ending.done()
            sink.pause.set()
            await ending
            assert await world.rows() == []
            assert (await asking)["mail"]["state"] == "sent"


async def test_two_processes_that_send_at_once_send_once(tmp_path):
    with smtp_sink(tmp_path) as sink:
        sink.replies["GREETING"] = ["421 not now"]
        async with mail_world(mail_settings(sink)) as world:
            assert (await world.invite())["mail"]["state"] == "queued"
            world.clock.advance(MINUTE)
            sink.pause = threading.Event()
            first = asyncio.create_task(world.outbox.send_due())
            await asyncio.to_thread(sink.reached.wait, 30)
            await world.outbox.send_due()
            sink.pause.set()
            await first
            assert len(sink.taken) == 1
            assert await world.rows() == []


async def test_message_of_a_process_that_died_while_sending_is_sent_again_with_the_same_id(tmp_path):
    with smtp_sink(tmp_path) as sink:
        async with mail_world(mail_settings(sink)) as world:
            sink.replies["GREETING"] = ["421 not now"]
            await world.invite()
            world.clock.advance(MINUTE)
            sink.pause = threading.Event()
            dying = asyncio.create_task(world.outbox.send_due())
            await asyncio.to_thread(sink.reached.wait, 30)
            dying.cancel()
            await asyncio.gather(dying, return_exceptions=True)
            sink.pause.set()
            world.clock.advance(MINUTE)
            await world.outbox.send_due()
            assert len(await world.rows()) == 1
            world.clock.advance(timedelta(minutes=6))
            await world.outbox.send_due()
            assert await world.rows() == []
            assert len({each.message["Message-ID"] for each in sink.taken}) == 1
            assert len(sink.taken) == 2


async def test_new_link_takes_the_place_of_the_message_with_the_old_one(tmp_path):
    with smtp_sink(tmp_path) as sink:
        async with mail_world(mail_settings(sink)) as world:
            sink.replies["GREETING"] = ["421 not now", "421 not now"]
            old, new = await world.invite(), await world.invite()
            world.clock.advance(MINUTE)
            await world.outbox.send_due()
            (taken,) = sink.taken
            assert new["link"] in taken.text
            assert old["link"] not in taken.text


@pytest.mark.parametrize("what", ["disable", "delete", "use"])
async def test_message_whose_link_is_over_is_not_sent(tmp_path, what):
    with smtp_sink(tmp_path) as sink:
        async with mail_world(mail_settings(sink)) as world:
            sink.replies["GREETING"] = ["421 not now"]
            answer = await world.invite()
            if what == "use":
                await world.invitations.accept(answer["link"].rpartition("/")[2], PASSWORD, address="192.0.2.1")
            else:
                await getattr(world.directory, what)("alice", actor=SYSTEM)
            world.clock.advance(MINUTE)
            await world.outbox.send_due()
            assert sink.taken == []
            assert await world.rows() == []


async def test_link_is_nowhere_but_in_the_message_and_the_answer(tmp_path):
    with smtp_sink(tmp_path) as sink:
        async with mail_world(mail_settings(sink)) as world:
            sink.replies["RCPT"] = ["451 later"]
            answer = await world.invite()
            token = answer["link"].rpartition("/")[2]
            world.clock.advance(MINUTE)
            sink.replies["MESSAGE"] = [f"550 spam: {answer['link']} and {token} are listed"]
            held = await world.rows()
            assert len(held) == 1
            await world.outbox.send_due()
            events = await world.events()
            assert any(each[0] == "mail.failed" for each in events)
            for where in (repr(held), repr(events), repr(world.log.lines)):
                assert token not in where
                assert "/invitation/" not in where


async def test_no_mail_is_sent_where_none_is_wanted(tmp_path):
    with smtp_sink(tmp_path) as sink:
        async with mail_world(mail_settings(sink)) as world:
            assert (await world.invite(send_mail=False))["mail"] is None
            assert (sink.connections, await world.rows()) == (0, [])


async def test_person_without_a_verified_address_is_told_of(tmp_path):
    with smtp_sink(tmp_path) as sink:
        async with mail_world(mail_settings(sink)) as world:
            told = (await world.invite("bob", mails=[]))["mail"]
            assert told == {"to": None, "state": "not_sent", "detail": "bob has no verified e-mail address."}
            assert sink.connections == 0


async def test_names_cannot_add_headers_or_recipients(tmp_path):
    with smtp_sink(tmp_path) as sink:
        async with mail_world(mail_settings(sink)) as world:
            name = 'Zoë "Bcc: eve@example.org" <eve@example.org>'
            assert (await world.invite(display_name=name))["mail"]["state"] == "sent"
            (taken,) = sink.taken
            assert taken.recipient == "alice@example.org"
            assert [address.addr_spec for address in taken.message["To"].addresses] == ["alice@example.org"]
            assert taken.message["To"].addresses[0].display_name == name
            assert taken.message["Bcc"] is None
            assert taken.raw.isascii()


@pytest.mark.parametrize(
    "address", ["a@example.org\r\nBcc: eve@example.org", "a@example.org, eve@example.org", "a b@example.org"]
)
async def test_address_that_is_none_is_refused_before_a_link_is_made(tmp_path, address):
    with smtp_sink(tmp_path) as sink:
        async with mail_world(mail_settings(sink)) as world:
            body = {"name": "alice", "mails": [address]}
            status, answer = await world.call("POST", "/invitations", body, token=world.desk)
            assert (status, answer["code"]) == (400, "mail_refused")
            assert sink.connections == 0
