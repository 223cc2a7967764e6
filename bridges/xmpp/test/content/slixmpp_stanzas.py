"""Reads with slixmpp the stanzas given as JSON on standard input, and writes some of its own."""

import json
import logging
import sys
from xml.etree import ElementTree

logging.disable(logging.CRITICAL)
from slixmpp import ClientXMPP, Message  # noqa: E402

client = ClientXMPP("ann@example.org", "secret")
for number in "0004 0045 0066 0071 0085 0184 0249 0308 0313 0333 0359 0424 0428 0444 0461".split():
    client.register_plugin("xep_" + number)


def message(body=None):
    made = client.make_message(mto="bob@example.org", mtype="chat", mbody=body)
    made["from"] = "ann@example.org/slixmpp"
    made["id"] = "m1"
    return made


def written():
    reply = message(body="> Bob: one\nanswer")
    reply["reply"]["id"] = "r1"
    reply["reply"]["to"] = "bob@example.org/x"
    reply["feature_fallback"]["for"] = "urn:xmpp:reply:0"
    reply["feature_fallback"]["fallback_body"]["start"] = "0"
    reply["feature_fallback"]["fallback_body"]["end"] = "11"
    correction = message(body="better")
    correction["replace"]["id"] = "first"
    reactions = message()
    reactions["reactions"]["id"] = "t"
    reactions["reactions"]["values"] = {"👍"}
    retraction = message(body="/me retracted a message")
    retraction["apply_to"]["id"] = "t"
    retraction["apply_to"].enable("retract")
    receipt = message()
    receipt["receipt"] = "t"
    marker = message()
    marker["displayed"]["id"] = "t"
    state = message()
    state["chat_state"] = "composing"
    file = message(body="https://example.org/a.png")
    file["oob"]["url"] = "https://example.org/a.png"
    invite = message()
    invite["groupchat_invite"]["jid"] = "room@muc.example.org"
    invite["groupchat_invite"]["reason"] = "come"
    html = message(body="bold")
    html["html"]["body"] = "<p>a <strong>bold</strong> word</p>"
    made = locals()
    return {name: str(stanza) for name, stanza in made.items()}


def read(name, text):
    stanza = Message(xml=ElementTree.fromstring(text))
    fields = {
        "said": lambda: {
            "body": stanza["body"],
            "replace": stanza["replace"]["id"],
            "reply": [stanza["reply"]["id"], str(stanza["reply"]["to"])],
            "thread": stanza["thread"],
            "receipt": stanza["request_receipt"],
            "state": stanza["chat_state"],
            "origin": stanza["origin_id"]["id"],
        },
        "reactions": lambda: [stanza["reactions"]["id"], sorted(stanza["reactions"]["values"])],
        "retraction": lambda: [stanza["apply_to"]["id"], stanza["apply_to"]["retract"].namespace],
        "receipt": lambda: stanza["receipt"],
        "marker": lambda: stanza["displayed"]["id"],
        "file": lambda: [stanza["body"], stanza["oob"]["url"]],
        "direct": lambda: [stanza["groupchat_invite"]["jid"], stanza["groupchat_invite"]["reason"]],
        "mediated": lambda: [str(stanza["muc"]["invite"]["from"]), stanza["muc"]["invite"]["reason"]],
        "xhtml": lambda: stanza["html"]["body"],
        "form": lambda: [stanza["form"]["title"], sorted(stanza["form"].get_fields())],
        "archived": lambda: [
            stanza["mam_result"]["id"],
            stanza["mam_result"]["queryid"],
            stanza["mam_result"]["forwarded"]["stanza"]["body"],
        ],
    }
    return fields[name]()


given = json.load(sys.stdin)
print(json.dumps({"read": {name: read(name, text) for name, text in given.items()}, "written": written()}))
