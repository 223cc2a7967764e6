import type { Case } from "../cases.js";
import { path } from "../stage.js";

/** What Synapse adds to events outside of `/sync`, from before the specification. */
const LEGACY = new Set(["age", "user_id"]);

export const eventCases: readonly Case[] = [
  [
    "sending, and the same transaction again",
    async (stage) => {
      const alice = await stage.person("alice");
      const roomId = await alice.room();
      const at = alice.sendPath(roomId);
      const first = await alice.call("200", "PUT", at, { body: { msgtype: "m.text", body: "x" } });
      const second = await alice.call("200", "PUT", at, { body: { msgtype: "m.text", body: "other" } });
      stage.note("one event", first["event_id"] === second["event_id"]);
    },
  ],
  [
    "contents that no server takes",
    async (stage) => {
      const alice = await stage.person("alice");
      const roomId = await alice.room();
      const send = (expected: string, body: string, type?: string): Promise<unknown> =>
        alice.call(expected, "PUT", alice.sendPath(roomId, type), { body });
      await send("400 M_BAD_JSON", '{"msgtype":"m.text","body":"x","n":1.5}');
      await send("400 M_BAD_JSON", '{"msgtype":"m.text","body":"x","n":9007199254740993}');
      await send("400 M_UNKNOWN", '{"msgtype":"m.text","body":5}');
      await send("400 M_NOT_JSON", "{");
      await send("400 M_BAD_JSON", "[]");
      await send("413 M_TOO_LARGE", JSON.stringify({ msgtype: "m.text", body: "x".repeat(66_000) }));
      await send("413 M_TOO_LARGE", '{"a":"b"}', `m.${"x".repeat(260)}`);
      await send("200", '{"msgtype":"m.text","body":"a\\u0000b"}');
    },
  ],
  [
    "rooms one is not in, and rooms that are not",
    async (stage) => {
      const [alice, bob] = [await stage.person("alice"), await stage.person("bob")];
      const roomId = await alice.room({ preset: "public_chat" });
      const body = { msgtype: "m.text", body: "x" };
      await bob.call("403 M_FORBIDDEN", "PUT", bob.sendPath(roomId), { body });
      await bob.call("403 M_FORBIDDEN", "PUT", bob.sendPath("!nowhere:contract.test"), { body });
      await bob.call("403 M_FORBIDDEN", "PUT", path`/rooms/${roomId}/state/m.room.topic`, { body: { topic: "x" } });
    },
  ],
  [
    "edits, reactions, the same reaction twice",
    async (stage) => {
      const [alice, bob] = [await stage.person("alice"), await stage.person("bob")];
      const roomId = await alice.room({ preset: "public_chat" });
      await bob.join(roomId);
      const eventId = await alice.send(roomId, "first");
      const edit = await alice.send(roomId, {
        msgtype: "m.text",
        body: "* second",
        "m.new_content": { msgtype: "m.text", body: "second" },
        "m.relates_to": { rel_type: "m.replace", event_id: eventId },
      });
      const seen = await bob.call("200", "GET", path`/rooms/${roomId}/event/${eventId}`, { anyShape: true });
      stage.note("the edit comes along", JSON.stringify(seen).includes(edit));
      stage.note("the body", (seen["content"] as Record<string, unknown>)["body"]);
      const reaction = { "m.relates_to": { rel_type: "m.annotation", event_id: eventId, key: "👍" } };
      await bob.send(roomId, reaction, "m.reaction");
      await bob.call("400 M_DUPLICATE_ANNOTATION", "PUT", bob.sendPath(roomId, "m.reaction"), { body: reaction });
      const relations = `/_matrix/client/v1${path`/rooms/${roomId}/relations/${eventId}`}`;
      for (const part of ["", "/m.annotation", "/m.annotation/m.reaction", "/m.thread"]) {
        const { chunk } = await bob.call("200", "GET", relations + part, { anyShape: true });
        stage.note(`relations ${part}`, Array.isArray(chunk) ? chunk.length : undefined);
      }
    },
  ],
  [
    "redactions by both ways",
    async (stage) => {
      const [alice, bob] = [await stage.person("alice"), await stage.person("bob")];
      const roomId = await alice.room({ preset: "public_chat" });
      await bob.join(roomId);
      const one = await bob.send(roomId, "one");
      const two = await bob.send(roomId, "two");
      const hers = await alice.send(roomId, "hers");
      let redactions = 0;
      const redact = (id: string): string =>
        `${path`/rooms/${roomId}/redact/${id}`}/${stage.name("r")}x${++redactions}`;
      await bob.call("403 M_FORBIDDEN", "PUT", redact(hers), { body: {} });
      await alice.call("200", "PUT", redact(one), { body: { reason: "spam" } });
      await bob.send(roomId, { redacts: two }, "m.room.redaction");
      for (const id of [one, two]) {
        const seen = await alice.call("200", "GET", path`/rooms/${roomId}/event/${id}`, { anyShape: true });
        const unsigned = seen["unsigned"] as Record<string, unknown>;
        stage.note("content", seen["content"]);
        stage.note("redacted by", typeof unsigned["redacted_by"]);
        stage.note(
          "because",
          Object.keys(unsigned["redacted_because"] as object)
            .filter((key) => !LEGACY.has(key))
            .sort(),
        );
      }
    },
  ],
  [
    "state: the same again, the event, what is not there",
    async (stage) => {
      const alice = await stage.person("alice");
      const roomId = await alice.room();
      const at = path`/rooms/${roomId}/state/m.room.topic`;
      const first = await alice.call("200", "PUT", at, { body: { topic: "one" } });
      const again = await alice.call("200", "PUT", `${at}/`, { body: { topic: "one" } });
      stage.note("one event", first["event_id"] === again["event_id"]);
      await alice.call("200", "GET", at);
      await alice.call("200", "GET", `${at}/`, { query: { format: "event" }, anyShape: true });
      await alice.call("404 M_NOT_FOUND", "GET", path`/rooms/${roomId}/state/m.room.avatar`);
      await alice.call("404 M_NOT_FOUND", "GET", `${at}/other`);
    },
  ],
  [
    "typing, receipts, presence",
    async (stage) => {
      const [alice, bob] = [await stage.person("alice"), await stage.person("bob")];
      const roomId = await alice.room({ preset: "public_chat" });
      await bob.join(roomId);
      const eventId = await alice.send(roomId, "x");
      const typing = path`/rooms/${roomId}/typing/${alice.userId}`;
      await alice.call("200", "PUT", typing, { body: { typing: true, timeout: 1000 } });
      await bob.call("400 M_FORBIDDEN", "PUT", typing, { body: { typing: true } });
      await bob.call("200", "POST", path`/rooms/${roomId}/receipt/m.read/${eventId}`, { body: {} });
      await bob.call("200", "POST", path`/rooms/${roomId}/receipt/m.read.private/${eventId}`, { body: {} });
      await bob.call("400 M_UNKNOWN", "POST", path`/rooms/${roomId}/receipt/m.nothing/${eventId}`, { body: {} });
      await bob.call("200", "POST", path`/rooms/${roomId}/read_markers`, { body: { "m.fully_read": eventId } });
      await alice.call("200", "PUT", path`/presence/${alice.userId}/status`, { body: { presence: "online" } });
      await bob.call("200", "GET", path`/presence/${alice.userId}/status`, { anyShape: true });
      await bob.call("403 M_FORBIDDEN", "PUT", path`/presence/${alice.userId}/status`, {
        body: { presence: "online" },
      });
    },
  ],
];
