import { text } from "../../../packages/testkit/test/homeserver-support.js";
import { until } from "../../support/bounded.js";
import type { Case } from "../cases.js";
import { shapeOf } from "../shape.js";
import { path } from "../stage.js";

export const deliveryCases: readonly Case[] = [
  [
    "events of a room with a ghost, in order, its own as well",
    async (stage) => {
      const alice = await stage.person("alice");
      const ghost = await stage.ghost("bob");
      const roomId = await alice.room({ preset: "public_chat" });
      await alice.send(roomId, "before the ghost is here");
      await ghost.join(roomId);
      const first = await alice.send(roomId, "one");
      await ghost.send(roomId, "two");
      await alice.send(
        roomId,
        { "m.relates_to": { rel_type: "m.annotation", event_id: first, key: "x" } },
        "m.reaction",
      );
      await alice.call("200", "PUT", path`/rooms/${roomId}/state/m.room.topic`, { body: { topic: "Topic" } });
      await alice.call("200", "PUT", `${path`/rooms/${roomId}/redact/${first}`}/${stage.name("r")}`, { body: {} });
      await stage.delivered("events", roomId, await alice.send(roomId, "last"));
    },
  ],
  [
    "an invitation of a ghost, and what follows",
    async (stage) => {
      const alice = await stage.person("alice");
      const ghost = await stage.ghost("bob");
      const roomId = await alice.room({ preset: "private_chat", name: "Private" });
      await alice.send(roomId, "not for the ghost");
      await alice.call("200", "POST", path`/rooms/${roomId}/invite`, { body: { user_id: ghost.userId } });
      await ghost.join(roomId);
      const last = await alice.send(roomId, "for the ghost");
      await stage.delivered("invited", roomId, last);
      await ghost.call("200", "POST", path`/rooms/${roomId}/leave`, { body: {} });
      await alice.send(roomId, "gone");
      await alice.call("200", "POST", path`/rooms/${roomId}/invite`, { body: { user_id: ghost.userId } });
      await ghost.join(roomId);
      await stage.delivered("after leaving", roomId, await alice.send(roomId, "back"));
    },
  ],
  [
    "a room with an alias of the namespace",
    async (stage) => {
      const alice = await stage.person("alice");
      const name = `#contract_${stage.name("aliased")}:${stage.side.serverName}`;
      const roomId = await alice.room({ preset: "public_chat" });
      await stage.bot.call("200", "PUT", path`/directory/room/${name}`, { body: { room_id: roomId } });
      await stage.delivered("by alias", roomId, await alice.send(roomId, "nobody of the service is here"));
    },
  ],
  [
    "questions for unknown users and aliases",
    async (stage) => {
      const alice = await stage.person("alice");
      const stranger = stage.stranger("stranger");
      const roomId = await alice.room({ preset: "public_chat" });
      const asked = (part: string): string[] =>
        stage.service.received
          .map(({ path: where }) => decodeURIComponent(where))
          .filter((where) => where.startsWith("/_matrix/app/v1/") && where.includes(part));
      await alice.call("200", "POST", path`/rooms/${roomId}/invite`, { body: { user_id: stranger.userId } });
      await until(10_000, "the question for the user", () => (asked(stranger.userId).length > 0 ? true : undefined));
      stage.note("asked for the user at", asked(stranger.userId)[0] === `/_matrix/app/v1/users/${stranger.userId}`);
      const alias = `#contract_${stage.name("unknown")}:${stage.side.serverName}`;
      stage.service.answer = ({ path: where }) => (where.includes("/rooms/") ? { status: 404 } : undefined);
      await alice.call("404 M_NOT_FOUND", "POST", path`/join/${alias}`, { body: {} });
      stage.service.answer = () => undefined;
      stage.note("asked for the alias at", asked(alias)[0] === `/_matrix/app/v1/rooms/${alias}`);
    },
  ],
  [
    "typing, receipts, private receipts and presence",
    async (stage) => {
      const alice = await stage.person("alice");
      const ghost = await stage.ghost("bob");
      const roomId = await alice.room({ preset: "public_chat" });
      await ghost.join(roomId);
      const eventId = await alice.send(roomId, "x");
      const wait = async (what: string, meets: (event: Record<string, unknown>) => boolean): Promise<void> => {
        const event = await until(20_000, what, () => stage.service.ephemeral.find(meets));
        stage.note(what, shapeOf(event));
      };
      await alice.call("200", "PUT", path`/rooms/${roomId}/typing/${alice.userId}`, {
        body: { typing: true, timeout: 5000 },
      });
      await wait("typing", (event) => event["type"] === "m.typing" && event["room_id"] === roomId);
      for (const type of ["m.read", "m.read.private"]) {
        await alice.call("200", "POST", path`/rooms/${roomId}/receipt/${type}/${eventId}`, { body: {} });
        await wait(type, (event) => event["room_id"] === roomId && JSON.stringify(event).includes(`"${type}"`));
      }
      await alice.call("200", "PUT", path`/presence/${alice.userId}/status`, {
        body: { presence: "online", status_msg: "here" },
      });
      await wait("presence", (event) => event["type"] === "m.presence" && JSON.stringify(event).includes('"here"'));
      const last = stage.service.transactions.findLast(({ ephemeral }) => ephemeral !== undefined);
      stage.note("names", [last?.ephemeral !== undefined, last?.unstableEphemeral !== undefined]);
    },
  ],
  [
    "a failed transaction is retried under its id, and nothing is lost",
    async (stage) => {
      const alice = await stage.person("alice");
      const ghost = await stage.ghost("bob");
      const roomId = await alice.room({ preset: "public_chat" });
      await ghost.join(roomId);
      await stage.delivered("before", roomId, await alice.send(roomId, "before"));
      const start = stage.service.transactions.length;
      let failures = 2;
      stage.service.answer = ({ path: where }) => {
        if (!where.includes("/transactions/") || failures === 0) return undefined;
        failures--;
        return failures === 1 ? { status: 503 } : { status: 200, text: "not JSON" };
      };
      const sent: string[] = [];
      for (const body of ["a", "b", "c"]) sent.push(await alice.send(roomId, body));
      await until(30_000, "all events", () =>
        sent.every((id) =>
          stage.service.transactions
            .slice(start + 2)
            .some(({ events }) => events.some((event) => event["event_id"] === id)),
        )
          ? true
          : undefined,
      );
      stage.service.answer = () => undefined;
      const tries = stage.service.transactions.slice(start, start + 3);
      stage.note("ids of the tries", new Set(tries.map(({ id }) => id)).size);
      const ids = (index: number): unknown[] => (tries[index]?.events ?? []).map((event) => event["event_id"]);
      stage.note("the same events", JSON.stringify(ids(0)) === JSON.stringify(ids(2)));
      const accepted = stage.service.transactions.slice(start + 2).flatMap(({ events }) => events);
      stage.note(
        "in order",
        accepted.flatMap((event) =>
          sent.includes(text(event["event_id"])) ? [(event["content"] as { body: string }).body] : [],
        ),
      );
    },
  ],
  [
    "third-party lookups",
    async (stage) => {
      const alice = await stage.person("alice");
      const protocol = {
        user_fields: ["nick"],
        location_fields: ["channel"],
        icon: "mxc://x/y",
        field_types: { nick: { regexp: ".+", placeholder: "n" }, channel: { regexp: ".+", placeholder: "c" } },
        instances: [{ desc: "Net", network_id: "net", fields: { network: "net" } }],
      };
      const user = { userid: "@contract_bob:contract.test", protocol: "contractnet", fields: { nick: "bob" } };
      stage.service.answer = ({ path: where }) => {
        if (where.includes("/protocol/")) return { status: 200, text: JSON.stringify(protocol) };
        if (where.includes("/thirdparty/user")) return { status: 200, text: JSON.stringify([user]) };
        return where.includes("/thirdparty/") ? { status: 200, text: "[]" } : undefined;
      };
      await alice.call("200", "GET", "/thirdparty/protocols");
      await alice.call("200", "GET", "/thirdparty/protocol/contractnet");
      await alice.call("200", "GET", "/thirdparty/user/contractnet", { query: { nick: "bob" }, anyShape: true });
      stage.service.answer = () => undefined;
    },
  ],
];
