"""Events reach real receivers on this machine at least once and in order, whatever is down in between."""

import asyncio
import base64
import hashlib
import hmac
import json
import re
import ssl
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from sealwright.access import SYSTEM
from sealwright.audit import Audit, Event, Forwarding
from sealwright.audit.forwarding.deliver import AT_ONCE, LONGEST_PAUSE, MOST_SINKS, SinkThere, SinkUnknown, TooManySinks
from sealwright.clock import FixedClock, Instant
from sealwright.entropy import SeededEntropy
from sealwright.errors import InvalidInput
from sealwright.keys import Sealer
from tests.audits import checkpoints_of, go_on_with
from tests.flows.test_outbound_calls import NAME, certificate, outbound

__all__ = ["certificate"]
START = Instant(1_790_000_000_000)


class Receiver:
    """A receiver of both kinds on one port; while `down`, it refuses or breaks off."""

    def __init__(self, pair):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*pair)
        self.messages, self.calls, self.status, self.port, self.server = [], [], 204, 0, None
        self.slowness, self.paths = {}, []

    async def start(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", self.port, ssl=self.context, reuse_address=True)
        self.port = self.server.sockets[0].getsockname()[1]

    async def stop(self):
        self.server.close()
        await self.server.wait_closed()

    async def serve(self, reader, writer):
        try:
            first = await reader.readexactly(4)
            if first == b"POST":
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                path = head.split()[0]
                await asyncio.sleep(self.slowness.get(path, 0))
                self.paths.append(path)
                headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
                length = int(headers["content-length"])
                raw = {line.split(": ", 1)[0].lower(): line.split(": ", 1)[1] for line in head.split("\r\n")[1:] if ": " in line}
                self.calls.append((headers, raw, await reader.readexactly(length)))
                writer.write(f"HTTP/1.1 {self.status} x\r\ncontent-length: 0\r\n\r\n".encode())
                await writer.drain()
            else:
                received = first + await reader.read()
                while received:
                    length, _, rest = received.partition(b" ")
                    self.messages.append(rest[: int(length)].decode("utf-8"))
                    received = rest[int(length) :]
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def events(self):
        """Ids of the events of all calls that were answered well."""
        return [event["id"] for _, _, body in self.calls for event in json.loads(body)["events"]]


class Site:
    """A database with a record and its forwarding."""

    def __init__(self, db, pair):
        self.db, self.clock, self.pair = db, FixedClock(START), pair
        self.audit = Audit(self.clock)
        self.forwarding = self.another_process()

    def another_process(self):
        sealer = Sealer(bytes(32), SeededEntropy(1))
        return Forwarding(self.db, self.audit, self.clock, SeededEntropy(2), sealer, outbound(self.pair), host="sso.example.org")

    async def write(self, count, *, first=0, event=Event.GROUP_CREATED, writer=None):
        for number in range(first, first + count):

            async def body(tx, number=number):
                if writer is not None:
                    go_on_with(tx, writer, self.clock)
                await self.audit.record(tx, event, actor=SYSTEM, target=f"group:{number}", details={"n": number})

            await self.db.write(body)

    async def state(self):
        ((sink, waiting),) = await self.forwarding.all()
        return sink, waiting


@pytest.fixture
def site(open_scratch, certificate):
    @asynccontextmanager
    async def opened():
        receiver = Receiver(certificate)
        await receiver.start()
        async with open_scratch() as db:
            yield Site(db, certificate), receiver
        await receiver.stop()

    return opened


def targets(receiver):
    return [event["target"] for _, _, body in receiver.calls for event in json.loads(body)["events"]]


async def test_webhook_gets_what_is_recorded_from_now_on_signed_and_once(site):
    async with site() as (made, receiver):
        await made.write(3)
        _, secret = await made.forwarding.create("siem", f"https://{NAME}:{receiver.port}/in", (), SYSTEM)
        await made.write(2, first=10)
        await made.forwarding.deliver_due()
        await made.forwarding.deliver_due()
        ((_, headers, body),) = receiver.calls
        assert targets(receiver)[1:] == ["group:10", "group:11"]
        assert json.loads(body)["events"][1]["sentence"] == "This server created the group 10."
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        expected = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        assert headers["webhook-signature"] == f"v1,{expected}"
        sink, waiting = await made.state()
        assert (sink.sent, sink.tries, waiting) == (3, 0, 0)
        assert key not in (sink.sealed_secret or b"")


async def test_sink_that_is_down_for_a_day_gets_everything_in_order_once_it_is_up(site):
    async with site() as (made, receiver):
        await made.forwarding.create("siem", f"https://{NAME}:{receiver.port}/", (), SYSTEM)
        await receiver.stop()
        for hour in range(24):
            await made.write(20, first=20 * hour)
            await made.forwarding.deliver_due()
            made.clock.advance(timedelta(hours=1))
        sink, waiting = await made.state()
        assert (sink.tries, waiting, sink.sent) == (24, 24 * 20 + 1, 0)
        assert "connection was refused or lost" in sink.last_error
        await receiver.start()
        await made.another_process().deliver_due()
        assert [each for each in targets(receiver) if each.startswith("group")] == [f"group:{number}" for number in range(480)]
        assert max(len(json.loads(body)["events"]) for _, _, body in receiver.calls) == AT_ONCE
        sink, waiting = await made.state()
        assert (sink.tries, sink.last_error, waiting) == (0, None, 0)


async def test_purge_leaves_what_a_sink_has_not_taken_and_the_rest_still_verifies(site):
    async with site() as (made, receiver):
        checkpoints = checkpoints_of(made.db, made.audit)
        await made.write(5)
        await made.forwarding.create("siem", f"https://{NAME}:{receiver.port}/", (), SYSTEM)
        await made.write(5, first=5)
        await receiver.stop()
        await made.forwarding.deliver_due()
        await checkpoints.make(SYSTEM)
        made.clock.advance(timedelta(days=30))
        taken = await made.forwarding.taken_by_all()
        assert sum(taken.values()) == 5
        assert await checkpoints.purge(made.clock.now(), SYSTEM, taken=taken) == 5
        assert (await checkpoints.verified()).purged_chains == 1
        await receiver.start()
        await made.forwarding.deliver_due()
        assert [each for each in targets(receiver) if each.startswith("group")] == [f"group:{number}" for number in range(5, 10)]
        assert await checkpoints.purge(made.clock.now(), SYSTEM, taken=await made.forwarding.taken_by_all()) > 5
        await made.forwarding.delete("siem", SYSTEM)
        assert await made.forwarding.taken_by_all() is None


async def test_there_are_only_so_many_sinks(site):
    async with site() as (made, _):
        for number in range(MOST_SINKS):
            await made.forwarding.create(f"siem-{number}", "https://siem.example.org/", (), SYSTEM)
        with pytest.raises(TooManySinks, match="There are 20 sinks"):
            await made.forwarding.create("one-more", "https://siem.example.org/", (), SYSTEM)
        await made.forwarding.delete("siem-0", SYSTEM)
        await made.forwarding.create("one-more", "https://siem.example.org/", (), SYSTEM)


async def test_call_that_is_refused_is_repeated_with_the_same_events_after_a_pause(site):
    async with site() as (made, receiver):
        await made.forwarding.create("siem", f"https://{NAME}:{receiver.port}/", (), SYSTEM)
        await made.write(2)
        receiver.status = 500
        await made.forwarding.deliver_due()
        await made.forwarding.deliver_due()  # waits
        assert len(receiver.calls) == 1
        assert "status 500" in (await made.state())[0].last_error
        receiver.status = 200
        made.clock.advance(LONGEST_PAUSE)
        await made.forwarding.deliver_due()
        (first, second) = receiver.calls
        assert first[2] == second[2]
        assert first[0]["webhook-id"] == second[0]["webhook-id"]


async def test_sink_that_fails_does_not_hold_up_another(site):
    async with site() as (made, receiver):
        await made.forwarding.create("broken", f"https://{NAME}:1/", (), SYSTEM)
        await made.forwarding.create("works", f"https://{NAME}:{receiver.port}/", (), SYSTEM)
        await made.write(1)
        await made.forwarding.deliver_due()
        assert "group:0" in targets(receiver)


async def test_slow_sink_does_not_delay_another(site):
    async with site() as (made, receiver):
        receiver.slowness = {"/slow": 0.5}
        await made.forwarding.create("a-slow", f"https://{NAME}:{receiver.port}/slow", (), SYSTEM)
        await made.forwarding.create("b-quick", f"https://{NAME}:{receiver.port}/quick", (), SYSTEM)
        await made.write(2 * AT_ONCE)
        await made.forwarding.deliver_due()
        assert receiver.paths == ["/quick"] * 3 + ["/slow"] * 3


async def test_sink_whose_secret_does_not_open_does_not_hold_up_another(site):
    async with site() as (made, receiver):
        sealer = Sealer(bytes([1]) * 32, SeededEntropy(1))
        rest = (made.db, made.audit, made.clock, SeededEntropy(3), sealer, outbound(made.pair))
        await Forwarding(*rest, host="x").create("broken", f"https://{NAME}:{receiver.port}/", (), SYSTEM)
        await made.forwarding.create("works", f"https://{NAME}:{receiver.port}/", (), SYSTEM)
        await made.write(1)
        await made.forwarding.deliver_due()
        assert "group:0" in targets(receiver)
        broken, works = (sink for sink, _ in await made.forwarding.all())
        assert (broken.tries, works.tries) == (1, 0)
        assert "does not open" in broken.last_error


async def test_webhook_is_one_however_its_scheme_is_written(site):
    async with site() as (made, receiver):
        sink, secret = await made.forwarding.create("siem", f"HTTPS://{NAME}:{receiver.port}/In", (), SYSTEM)
        assert (sink.url, sink.is_webhook) == (f"https://{NAME}:{receiver.port}/In", True)
        assert secret is not None
        await made.write(1)
        await made.forwarding.deliver_due()
        assert "group:0" in targets(receiver)


async def test_only_chosen_categories_are_forwarded(site):
    async with site() as (made, receiver):
        await made.forwarding.create("certs", f"https://{NAME}:{receiver.port}/", ("cert_lifecycle",), SYSTEM)
        await made.write(2)
        await made.write(1, first=7, event=Event.CERTIFICATE_REVOKED)
        await made.forwarding.deliver_due()
        assert targets(receiver) == ["group:7"]
        assert (await made.state())[1] == 0


async def test_events_of_a_process_that_began_later_are_forwarded_too(site):
    async with site() as (made, receiver):
        await made.write(1)
        await made.forwarding.create("siem", f"https://{NAME}:{receiver.port}/", (), SYSTEM)
        await made.write(1, first=50, writer="another")
        await made.forwarding.deliver_due()
        assert "group:50" in targets(receiver)
        assert "group:0" not in targets(receiver)


PARAMETER = r' \w+="(?:[^"\\\]]|\\.)*"'
SYSLOG = re.compile(rf"<(\d+)>1 (\S+Z) sso\.example\.org sealwright - (\S+) \[event@32473((?:{PARAMETER})+)\] \ufeff(.*)")


async def test_syslog_receiver_gets_each_event_framed_over_tls(site):
    async with site() as (made, receiver):
        await made.forwarding.create("logs", f"syslog+tls://{NAME}:{receiver.port}", (), SYSTEM)
        await made.write(2)

        async def hostile(tx):
            actor = SYSTEM.__class__("person", "9", 'eve"]\\\n<34>1 forged')
            await made.audit.record(tx, Event.GROUP_DELETED, actor=actor, target="group:1", details={})

        await made.db.write(hostile)
        await made.forwarding.deliver_due()
        for _ in range(100):
            if len(receiver.messages) == 4:
                break
            await asyncio.sleep(0.02)
        found = [match for message in receiver.messages if (match := SYSLOG.fullmatch(message))]
        assert len(found) == len(receiver.messages) == 4, receiver.messages
        assert [match[3] for match in found] == ["audit.sink_created", "group.created", "group.created", "group.deleted"]
        assert {match[1] for match in found} == {"110"}
        assert found[1][5] == "This server created the group 0."
        assert r'actor="eve\"\]\\\\u000a<34>1 forged"' in found[3][4]
        assert (await made.state())[0].sent == 4


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://x/",
        "https:///x",
        "syslog://x:1",
        "syslog+tls://x/path",
        "https://u@x/",
        "https://x/#f",
        "https://x:0/",
        "ftp://x",
    ],
)
async def test_place_to_which_events_cannot_be_forwarded_is_refused(site, url):
    async with site() as (made, _):
        with pytest.raises(InvalidInput, match="url is"):
            await made.forwarding.create("x", url, (), SYSTEM)
        assert await made.forwarding.all() == []


async def test_private_address_that_the_settings_do_not_list_is_never_called(site):
    async with site() as (made, receiver):
        guarded = Forwarding(
            made.db,
            made.audit,
            made.clock,
            SeededEntropy(3),
            Sealer(bytes(32), SeededEntropy(1)),
            outbound(made.pair, allow=()),
            host="x",
        )
        await guarded.create("a", f"https://{NAME}:{receiver.port}/", (), SYSTEM)
        await guarded.create("b", f"syslog+tls://{NAME}:{receiver.port}", (), SYSTEM)
        await guarded.deliver_due()
        assert (receiver.calls, receiver.messages) == ([], [])
        assert all("outbound.allow_private" in str(sink.last_error) for sink, _ in await guarded.all())


async def test_sink_is_made_once_and_deleted_with_what_waits(site):
    async with site() as (made, receiver):
        await made.forwarding.create("siem", f"https://{NAME}:{receiver.port}/", (), SYSTEM)
        with pytest.raises(SinkThere):
            await made.forwarding.create("siem", f"https://{NAME}:{receiver.port}/", (), SYSTEM)
        await made.forwarding.delete("siem", SYSTEM)
        with pytest.raises(SinkUnknown):
            await made.forwarding.delete("siem", SYSTEM)
        await made.forwarding.deliver_due()
        assert receiver.calls == []
