import { text } from "../../../packages/testkit/test/homeserver-support.js";
import type { Case } from "../cases.js";
import { path } from "../stage.js";

const register = (username: string, extra = {}): { body: Record<string, string | boolean> } => ({
  body: { type: "m.login.application_service", username, inhibit_login: true, ...extra },
});

export const applicationServiceCases: readonly Case[] = [
  [
    "registering ghosts",
    async (stage) => {
      const { bot } = stage;
      const name = `contract_${stage.name("x_y")}`;
      await bot.call("200", "POST", "/register", register(name));
      await bot.call("400 M_USER_IN_USE", "POST", "/register", register(name));
      await bot.call("400 M_EXCLUSIVE", "POST", "/register", register("elsewhere"));
      await bot.call("200", "POST", "/register", register(`contract_${stage.name("login")}`, { inhibit_login: false }));
      await bot.call("200", "POST", "/register", register(`contract_${stage.name("UPPER")}`));
      const alice = await stage.person("alice");
      await alice.call("401 M_UNKNOWN_TOKEN", "POST", "/register", register(`contract_${stage.name("no")}`));
    },
  ],
  [
    "who it may be",
    async (stage) => {
      const ghost = await stage.ghost("bob");
      const alice = await stage.person("alice");
      await stage.bot.call("200", "GET", "/account/whoami");
      await ghost.call("200", "GET", "/account/whoami");
      await stage.stranger("new").call("403 M_FORBIDDEN", "GET", "/account/whoami");
      await stage.bot.call("403 M_FORBIDDEN", "GET", "/account/whoami", { query: { user_id: alice.userId } });
      await stage.bot.call("401 M_MISSING_TOKEN", "GET", "/account/whoami", {
        query: { access_token: stage.bot.token },
      });
      await ghost.call("400 ORG.MATRIX.MSC4326.M_UNKNOWN_DEVICE", "GET", "/account/whoami", {
        query: { device_id: "NOTHING" },
      });
      await stage.bot.call("500 M_UNKNOWN", "GET", "/sync");
    },
  ],
  [
    "logging in as a ghost",
    async (stage) => {
      const ghost = await stage.ghost("bob");
      const alice = await stage.person("alice");
      const type = "m.login.application_service";
      const login = (user: string): { body: { type: string; identifier: Record<string, string> } } => ({
        body: { type, identifier: { type: "m.id.user", user } },
      });
      await stage.bot.call("200", "POST", "/login", login(ghost.userId));
      await stage.bot.call("403 M_FORBIDDEN", "POST", "/login", login(alice.userId));
      await alice.call("401 M_UNKNOWN_TOKEN", "POST", "/login", login(ghost.userId));
    },
  ],
  [
    "devices of ghosts",
    async (stage) => {
      const ghost = await stage.ghost("bob");
      await ghost.call("201", "PUT", "/devices/BRIDGE", { body: { display_name: "Bridge" } });
      await ghost.call("200", "PUT", "/devices/BRIDGE", { body: {} });
      await ghost.call("200", "GET", "/account/whoami", { query: { device_id: "BRIDGE" } });
      await ghost.call("200", "POST", "/keys/upload", { body: {}, query: { device_id: "BRIDGE" }, anyShape: true });
      await ghost.call("200", "DELETE", "/devices/BRIDGE", { body: {} });
    },
  ],
  [
    "a ghost in a room: profile, join, state, time stamps",
    async (stage) => {
      const alice = await stage.person("alice");
      const ghost = await stage.ghost("bob");
      const roomId = await alice.room({ preset: "public_chat" });
      await ghost.call("200", "PUT", path`/profile/${ghost.userId}/displayname`, {
        body: { displayname: "Bob (net)" },
      });
      await ghost.join(roomId);
      const member = await alice.call("200", "GET", path`/rooms/${roomId}/state/m.room.member/${ghost.userId}`);
      stage.note("name", member["displayname"]);
      const sent = await ghost.call("200", "PUT", ghost.sendPath(roomId), {
        body: { msgtype: "m.text", body: "old" },
        query: { ts: "1234567890" },
      });
      const id = text(sent["event_id"]);
      const event = await alice.call("200", "GET", path`/rooms/${roomId}/event/${id}`, { anyShape: true });
      stage.note("time stamp", event["origin_server_ts"]);
      await ghost.call("400 M_INVALID_PARAM", "PUT", ghost.sendPath(roomId), {
        body: { msgtype: "m.text", body: "x" },
        query: { ts: "-5" },
      });
      await stage.bot.call("200", "GET", path`/rooms/${roomId}/joined_members`, { anyShape: true });
      await stage.bot.call("403 M_FORBIDDEN", "GET", path`/rooms/${roomId}/state`);
    },
  ],
  [
    "two ghosts with one transaction id",
    async (stage) => {
      const alice = await stage.person("alice");
      const roomId = await alice.room({ preset: "public_chat" });
      const [bob, carol] = [await stage.ghost("bob"), await stage.ghost("carol")];
      const at = bob.sendPath(roomId);
      const ids: unknown[] = [];
      for (const ghost of [bob, carol]) {
        await ghost.join(roomId);
        ids.push((await ghost.call("200", "PUT", at, { body: { msgtype: "m.text", body: "x" } }))["event_id"]);
      }
      stage.note("one event", ids[0] === ids[1]);
    },
  ],
  [
    "aliases",
    async (stage) => {
      const alice = await stage.person("alice");
      const roomId = await alice.room({ preset: "public_chat" });
      const alias = (name: string): string => path`/directory/room/${`#${stage.name(name)}:${stage.side.serverName}`}`;
      await stage.bot.call("200", "PUT", alias("contract_a"), { body: { room_id: roomId } });
      await stage.bot.call("400 M_EXCLUSIVE", "PUT", alias("elsewhere"), { body: { room_id: roomId } });
      await alice.call("400 M_EXCLUSIVE", "PUT", alias("contract_b"), { body: { room_id: roomId } });
      await stage.bot.call("200", "DELETE", alias("contract_a"));
    },
  ],
  [
    "its own network of the room directory",
    async (stage) => {
      const alice = await stage.person("alice");
      const roomId = await alice.room({ preset: "public_chat", name: "Networked" });
      const at = path`/directory/list/appservice/${stage.name("net")}/${roomId}`;
      await stage.bot.call("200", "PUT", at, { body: { visibility: "public" } });
      await alice.call("403 M_FORBIDDEN", "PUT", at, { body: { visibility: "public" } });
      const { chunk } = await alice.call("200", "POST", "/publicRooms", {
        body: { third_party_instance_id: `contract|${stage.name("net")}` },
        anyShape: true,
      });
      stage.note(
        "found",
        (chunk as { room_id: string }[]).map(({ room_id: id }) => id === roomId),
      );
    },
  ],
  [
    "the ping",
    async (stage) => {
      const at = "/_matrix/client/v1/appservice/contract/ping";
      const alice = await stage.person("alice");
      await stage.bot.call("200", "POST", at, { body: { transaction_id: stage.name("ping") } });
      const received = stage.service.received.filter(({ path: where }) => where.endsWith("/ping"));
      stage.note("received", received.at(-1)?.body["transaction_id"] === stage.name("ping"));
      await stage.bot.call("403 M_FORBIDDEN", "POST", at.replace("contract", "other"), { body: {} });
      await alice.call("403 M_FORBIDDEN", "POST", at, { body: {} });
      const answer = stage.service.answer;
      stage.service.answer = ({ path: where }) =>
        where.endsWith("/ping") ? { status: 418, text: '{"errcode":"M_TEAPOT"}' } : undefined;
      const bad = await stage.bot.call("502 M_BAD_STATUS", "POST", at, { body: {} });
      stage.service.answer = answer;
      stage.note("bad status", [bad["status"], typeof bad["body"]]);
    },
  ],
  [
    "a deactivated ghost",
    async (stage) => {
      const alice = await stage.person("alice");
      const ghost = await stage.ghost("bob");
      const roomId = await alice.room({ preset: "public_chat" });
      await ghost.join(roomId);
      await ghost.call("200", "POST", "/account/deactivate", { body: {} });
      await stage.bot.call("400 M_USER_IN_USE", "POST", "/register", register(`contract_${stage.name("bob")}`));
      await ghost.join(roomId);
    },
  ],
];
