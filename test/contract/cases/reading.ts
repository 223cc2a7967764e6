import { text } from "../../../packages/testkit/test/homeserver-support.js";
import type { Case } from "../cases.js";
import type { Stage } from "../stage.js";
import { path } from "../stage.js";

function bodies(events: unknown): unknown[] {
  if (!Array.isArray(events)) return [];
  return events.flatMap((event: { type?: unknown; content?: { body?: unknown } }) =>
    event.type === "m.room.message" ? [event.content?.body] : [],
  );
}

async function hidden(stage: Stage, visibility: string): Promise<void> {
  const [alice, bob] = [await stage.person("alice"), await stage.person("bob")];
  const roomId = await alice.room({
    initial_state: [{ type: "m.room.history_visibility", state_key: "", content: { history_visibility: visibility } }],
  });
  const early = await alice.send(roomId, "early");
  await alice.call("200", "POST", path`/rooms/${roomId}/invite`, { body: { user_id: bob.userId } });
  const invited = await alice.send(roomId, "invited");
  await bob.join(roomId);
  await alice.send(roomId, "joined");
  const sees = (yes: boolean): string => (yes ? "200" : "404 M_NOT_FOUND");
  const event = (id: string): string => path`/rooms/${roomId}/event/${id}`;
  await bob.call(sees(visibility === "shared" || visibility === "world_readable"), "GET", event(early), {
    anyShape: true,
  });
  await bob.call(sees(visibility !== "joined"), "GET", event(invited), { anyShape: true });
  await bob.call("200", "POST", path`/rooms/${roomId}/leave`, { body: {} });
  await alice.send(roomId, "after");
  const { chunk } = await bob.call("200", "GET", path`/rooms/${roomId}/messages`, {
    query: { dir: "b", limit: "50" },
    anyShape: true,
  });
  stage.note("what bob sees", bodies(chunk));
}

export const readingCases: readonly Case[] = [
  ...["joined", "invited", "shared", "world_readable"].map((visibility): Case => [
    `history visible to ${visibility}`,
    (stage) => hidden(stage, visibility),
  ]),
  [
    "pages of messages, both ways",
    async (stage) => {
      const alice = await stage.person("alice");
      const roomId = await alice.room();
      for (let index = 0; index < 12; index++) await alice.send(roomId, String(index));
      const seen: unknown[] = [];
      let from: string | undefined;
      for (let page = 0; page < 10; page++) {
        const query = {
          dir: "b",
          limit: "5",
          filter: '{"types":["m.room.message"]}',
          ...(from === undefined ? {} : { from }),
        };
        const answer = await alice.call("200", "GET", path`/rooms/${roomId}/messages`, { query, quiet: true });
        seen.push(...bodies(answer["chunk"]));
        if (typeof answer["end"] !== "string") break;
        from = answer["end"];
      }
      stage.note("all bodies", seen);
      const first = await alice.call("200", "GET", path`/rooms/${roomId}/messages`, {
        query: { dir: "f", limit: "1" },
        anyShape: true,
      });
      stage.note("first", (first["chunk"] as { type: string }[])[0]?.type);
      await alice.call("400 M_INVALID_PARAM", "GET", path`/rooms/${roomId}/messages`, { query: { dir: "x" } });
    },
  ],
  [
    "members, by those within and without",
    async (stage) => {
      const [alice, bob] = [await stage.person("alice"), await stage.person("bob")];
      const roomId = await alice.room({ preset: "public_chat" });
      await bob.call("403 M_FORBIDDEN", "GET", path`/rooms/${roomId}/members`);
      await bob.call("403 M_FORBIDDEN", "GET", path`/rooms/${roomId}/joined_members`);
      await bob.call("403 M_FORBIDDEN", "GET", path`/rooms/${roomId}/state`);
      await bob.call("403 M_FORBIDDEN", "GET", path`/rooms/${roomId}/state/m.room.topic`);
      await bob.call("403 M_FORBIDDEN", "GET", path`/rooms/${roomId}/messages`, { query: { dir: "b" } });
      await bob.join(roomId);
      const members = await bob.call("200", "GET", path`/rooms/${roomId}/members`, { anyShape: true });
      stage.note("members", (members["chunk"] as unknown[]).length);
      const { joined } = await bob.call("200", "GET", path`/rooms/${roomId}/joined_members`, { anyShape: true });
      stage.note("joined", Object.keys(joined as object).length);
    },
  ],
  [
    "context, threads, the event at a time",
    async (stage) => {
      const alice = await stage.person("alice");
      const roomId = await alice.room();
      const root = await alice.send(roomId, "root");
      await alice.send(roomId, {
        msgtype: "m.text",
        body: "reply",
        "m.relates_to": {
          rel_type: "m.thread",
          event_id: root,
          is_falling_back: true,
          "m.in_reply_to": { event_id: root },
        },
      });
      const context = await alice.call("200", "GET", path`/rooms/${roomId}/context/${root}`, {
        query: { limit: "2" },
        anyShape: true,
      });
      stage.note("around", [bodies(context["events_before"]), bodies(context["events_after"])]);
      const v1 = `/_matrix/client/v1${path`/rooms/${roomId}`}`;
      const { chunk } = await alice.call("200", "GET", `${v1}/threads`, { anyShape: true });
      stage.note("threads", bodies(chunk));
      const query = { ts: "1", dir: "f" };
      await alice.call("200", "GET", `${v1}/timestamp_to_event`, { query });
      await alice.call("404 M_NOT_FOUND", "GET", `${v1}/timestamp_to_event`, { query: { ts: "1", dir: "b" } });
      await alice.call("404 M_NOT_FOUND", "GET", path`/rooms/${roomId}/event/${"$nothing"}`);
      await alice.call("404 M_NOT_FOUND", "GET", path`/rooms/${roomId}/context/${"$nothing"}`);
    },
  ],
  [
    "sync: invitation, join, messages, leave",
    async (stage) => {
      const [alice, bob] = [await stage.person("alice"), await stage.person("bob")];
      const roomId = await alice.room({ name: "Synced", invite: [bob.userId] });
      let since: string | undefined;
      const sync = async (): Promise<Record<string, Record<string, Record<string, unknown>>>> => {
        const query = { timeout: "0", ...(since === undefined ? {} : { since }) };
        const answer = await bob.call("200", "GET", "/sync", { query, anyShape: true });
        since = text(answer["next_batch"]);
        return (answer["rooms"] ?? {}) as Record<string, Record<string, Record<string, unknown>>>;
      };
      const invited = (await sync())["invite"]?.[roomId]?.["invite_state"] as { events: { type: string }[] };
      stage.note("invite state", [...new Set(invited.events.map(({ type }) => type))].sort());
      await bob.join(roomId);
      await alice.send(roomId, "one");
      const joined = (await sync())["join"]?.[roomId] ?? {};
      const timeline = joined["timeline"] as { events: { type: string }[] };
      stage.note("timeline", timeline.events.map(({ type }) => type).slice(-2));
      await alice.send(roomId, "two");
      const more = (await sync())["join"]?.[roomId]?.["timeline"] as { events: unknown };
      stage.note("more", bodies(more.events));
      stage.note("nothing new", Object.keys((await sync())["join"] ?? {}).length);
      await bob.call("200", "POST", path`/rooms/${roomId}/leave`, { body: {} });
      stage.note("left", Object.keys((await sync())["leave"] ?? {}).length);
    },
  ],
  [
    "media",
    async (stage) => {
      const [alice, bob] = [await stage.person("alice"), await stage.person("bob")];
      const made = await alice.call("200", "POST", "/_matrix/media/v1/create");
      const id = text(made["content_uri"]).slice("mxc://".length);
      await bob.call("504 M_NOT_YET_UPLOADED", "GET", `/_matrix/client/v1/media/download/${id}`, {
        query: { timeout_ms: "0" },
      });
      await bob.call("403 M_FORBIDDEN", "PUT", `/_matrix/media/v3/upload/${id}`, { body: "x" });
      await alice.call("200", "PUT", `/_matrix/media/v3/upload/${id}`, { body: "{}" });
      await alice.call("409 M_CANNOT_OVERWRITE_MEDIA", "PUT", `/_matrix/media/v3/upload/${id}`, { body: "{}" });
      await bob.call("200", "GET", `/_matrix/client/v1/media/download/${id}`);
      await bob.call("404 M_NOT_FOUND", "GET", `/_matrix/media/v3/download/${id}`);
      await bob.call("404 M_NOT_FOUND", "GET", "/_matrix/client/v1/media/download/contract.test/nothing");
      await bob.call("200", "GET", "/_matrix/client/v1/media/config");
    },
  ],
];
