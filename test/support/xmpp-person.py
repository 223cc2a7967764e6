"""A person on XMPP, driven over standard input and output, one JSON object a line.

Takes {"n": 1, "do": "connect" | "join" | "say" | "raw" | "query" | "end", ...} and answers
{"n": 1, "ok": ...} or {"n": 1, "failed": "..."}; every stanza that comes is {"stanza": {...}}.
"""

import asyncio
import json
import logging
import os
import sys
from xml.etree import ElementTree

import slixmpp
from slixmpp.xmlstream.matcher import MatchXPath
from slixmpp.xmlstream.handler import Callback
from slixmpp.exceptions import IqError, IqTimeout

PLUGINS = [
    "xep_0030", "xep_0045", "xep_0059", "xep_0085", "xep_0184", "xep_0199", "xep_0203", "xep_0249", "xep_0297",
    "xep_0308", "xep_0313", "xep_0333", "xep_0359", "xep_0424", "xep_0425", "xep_0428", "xep_0444", "xep_0461",
]


# As for the tests: so many times longer than usual whatever must come is waited for.
PATIENCE = float(os.environ.get("TRESTLE_PATIENCE", "1"))

# The library prints things of its own now and then: they go where its warnings go.
answers = sys.stdout
sys.stdout = sys.stderr


def tell(value):
    answers.write(json.dumps(value) + "\n")
    answers.flush()


class Person(slixmpp.ClientXMPP):
    def __init__(self, jid, password):
        super().__init__(jid, password)
        # The test's server is on loopback, without TLS.
        self.plugin_config = {}
        for plugin in PLUGINS:
            self.register_plugin(plugin)
        self["feature_mechanisms"].unencrypted_plain = True
        for name in ("message", "presence", "iq"):
            path = "{%s}%s" % (self.default_ns, name)
            self.register_handler(Callback("see " + name, MatchXPath(path), self.see))
        self.started = asyncio.get_event_loop().create_future()
        self.add_event_handler("session_start", lambda _: self.settle("session"))
        self.add_event_handler("failed_all_auth", lambda _: self.settle("authentication failed"))
        self.add_event_handler("disconnected", lambda why: tell({"disconnected": str(why)}))

    def settle(self, what):
        if not self.started.done():
            self.started.set_result(what)

    def see(self, stanza):
        xml = stanza.xml
        tell({"stanza": {
            "name": xml.tag.rpartition("}")[2],
            "from": xml.get("from"), "to": xml.get("to"), "type": xml.get("type"), "id": xml.get("id"),
            "body": xml.findtext("{%s}body" % self.default_ns),
            "subject": xml.findtext("{%s}subject" % self.default_ns),
            "xml": ElementTree.tostring(xml, encoding="unicode"),
        }})


class Driver:
    person = None

    async def do_connect(self, jid, password, port):
        self.person = Person(jid, password)
        self.person.connect(("127.0.0.1", port), force_starttls=False, disable_starttls=True)
        outcome = await asyncio.wait_for(self.person.started, 20 * PATIENCE)
        if outcome != "session":
            raise RuntimeError(outcome)
        self.person.send_presence()
        await self.person.get_roster()
        return str(self.person.boundjid)

    async def do_join(self, room, nick):
        joined = asyncio.get_event_loop().create_future()
        event = "muc::%s::self-presence" % room

        def settle(presence):
            if not joined.done():
                joined.set_result(presence["type"])

        self.person.add_event_handler(event, settle)
        try:
            self.person["xep_0045"].join_muc(room, nick)
            await asyncio.wait_for(joined, 20 * PATIENCE)
        finally:
            self.person.del_event_handler(event, settle)

    async def do_say(self, to, body, type="chat", id=None):
        message = self.person.make_message(mto=to, mbody=body, mtype=type)
        if id is not None:
            message["id"] = id
        message.send()
        return message["id"]

    async def do_raw(self, xml):
        self.person.send_raw(xml)

    async def do_query(self, to, type, payload):
        iq = self.person.make_iq(ito=to, itype=type)
        iq.append(ElementTree.fromstring(payload))
        try:
            answer = await iq.send(timeout=20 * PATIENCE)
        except IqError as error:
            answer = error.iq
        return ElementTree.tostring(answer.xml, encoding="unicode")

    async def do_end(self):
        if self.person is not None:
            await self.person.disconnect(wait=1)
        asyncio.get_event_loop().call_soon(asyncio.get_event_loop().stop)

    async def obey(self, order):
        number = order.pop("n")
        what = order.pop("do")
        try:
            tell({"n": number, "ok": await getattr(self, "do_" + what)(**order)})
        except (Exception, IqTimeout) as error:
            tell({"n": number, "failed": "%s: %s" % (type(error).__name__, error)})


async def read_orders(driver):
    reader = asyncio.StreamReader(limit=16 * 1024 * 1024)
    loop = asyncio.get_event_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        # One after the other: a person says things in order.
        await driver.obey(json.loads(line))
    loop.stop()


logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
main_loop = asyncio.new_event_loop()
asyncio.set_event_loop(main_loop)
task = main_loop.create_task(read_orders(Driver()))
main_loop.run_forever()
