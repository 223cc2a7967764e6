import { text } from "../../../packages/testkit/test/homeserver-support.js";
import type { Case } from "../cases.js";
import type { Actor } from "../stage.js";
import { path } from "../stage.js";

const state = (roomId: string, type: string): string => path`/rooms/${roomId}/state/${type}`;

export const roomCases: readonly Case[] = [
  ...(["private_chat", "public_chat", "trusted_private_chat"] as const).flatMap((preset): readonly Case[] =>
    (["11", "12"] as const).map((version) => [
      `the state of a new ${preset} of version ${version}`,
      async (stage) => {
        const alice = await stage.person("alice");
        const bob = await stage.person("bob");
        const roomId = await alice.room({
          preset,
          room_version: version,
          name: "Name",
          topic: "Topic",
          invite: [bob.userId],
          is_direct: true,
        });
        stage.note("the room id has a domain", roomId.includes(":"));
        for (const type of ["m.room.join_rules", "m.room.history_visibility", "m.room.name", "m.room.topic"]) {
          stage.note(type, await alice.call("200", "GET", state(roomId, type)));
        }
        await alice.call(
          preset === "public_chat" ? "404 M_NOT_FOUND" : "200",
          "GET",
          state(roomId, "m.room.guest_access"),
        );
        const levels = await alice.call("200", "GET", state(roomId, "m.room.power_levels"));
        stage.note("levels", { ...levels, users: Object.values(levels["users"] as object).sort() });
        const create = await alice.call("200", "GET", state(roomId, "m.room.create"));
        stage.note("version", create["room_version"]);
        await alice.call("200", "GET", path`/rooms/${roomId}/state/m.room.member/${bob.userId}`);
      },
    ]),
  ),
  [
    "what cannot be created",
    async (stage) => {
      const alice = await stage.person("alice");
      const create = (expected: string, body: Parameters<Actor["room"]>[0]): Promise<unknown> =>
        alice.call(expected, "POST", "/createRoom", { body: body ?? {} });
      await create("400 M_UNSUPPORTED_ROOM_VERSION", { room_version: "99" });
      await create("400 M_UNKNOWN", { invite: ["nobody"] });
      await create("400 M_UNKNOWN", { room_alias_name: "a b" });
      await create("400 M_EXCLUSIVE", { room_alias_name: "contract_x" });
      await alice.room({ room_alias_name: stage.name("taken") });
      await create("400 M_ROOM_IN_USE", { room_alias_name: stage.name("taken") });
      await alice.call("400 M_NOT_JSON", "POST", "/createRoom", { body: "{" });
      await create("400 M_UNKNOWN", {
        room_version: "12",
        power_level_content_override: { users: { [alice.userId]: 100 } },
      });
    },
  ],
  [
    "creators of version 12",
    async (stage) => {
      const [alice, bob, carol] = [await stage.person("alice"), await stage.person("bob"), await stage.person("carol")];
      const roomId = await alice.room({
        room_version: "12",
        preset: "public_chat",
        creation_content: { additional_creators: [bob.userId] },
        power_level_content_override: { users: { [carol.userId]: 100 } },
      });
      await bob.join(roomId);
      await carol.join(roomId);
      await bob.call("200", "PUT", state(roomId, "m.room.topic"), { body: { topic: "creators may" } });
      await carol.call("200", "PUT", state(roomId, "m.room.topic"), { body: { topic: "so may she" } });
      await carol.call("403 M_FORBIDDEN", "POST", path`/rooms/${roomId}/kick`, { body: { user_id: bob.userId } });
      const tombstone = { body: "x", replacement_room: "!other:contract.test" };
      await carol.call("403 M_FORBIDDEN", "PUT", state(roomId, "m.room.tombstone"), { body: tombstone });
      const levels = await alice.call("200", "GET", state(roomId, "m.room.power_levels"));
      const users = { ...(levels["users"] as Record<string, number>), [alice.userId]: 100 };
      await alice.call("400 M_UNKNOWN", "PUT", state(roomId, "m.room.power_levels"), {
        body: { ...(levels as Record<string, number>), users },
      });
    },
  ],
  [
    "power levels",
    async (stage) => {
      const [alice, bob] = [await stage.person("alice"), await stage.person("bob")];
      const roomId = await alice.room({ preset: "public_chat" });
      await bob.join(roomId);
      const at = state(roomId, "m.room.power_levels");
      await bob.call("403 M_FORBIDDEN", "PUT", state(roomId, "m.room.topic"), { body: { topic: "mine" } });
      const levels = await alice.call("200", "GET", at);
      const withBob = (level: number | string): Record<string, never> =>
        JSON.parse(JSON.stringify({ ...levels, users: { [alice.userId]: 100, [bob.userId]: level } })) as Record<
          string,
          never
        >;
      await bob.call("403 M_FORBIDDEN", "PUT", at, { body: withBob(10) });
      await alice.call("400 M_BAD_JSON", "PUT", at, { body: withBob("50") });
      await alice.call("200", "PUT", at, { body: withBob(50) });
      await bob.call("200", "PUT", state(roomId, "m.room.topic"), { body: { topic: "mine" } });
      await bob.call("403 M_FORBIDDEN", "PUT", at, { body: withBob(60) });
      await bob.call("403 M_FORBIDDEN", "POST", path`/rooms/${roomId}/kick`, { body: { user_id: alice.userId } });
      await bob.call("403 M_FORBIDDEN", "POST", path`/rooms/${roomId}/ban`, { body: { user_id: alice.userId } });
      await bob.call("403 M_FORBIDDEN", "PUT", path`/rooms/${roomId}/state/org.example/${alice.userId}`, { body: {} });
      await bob.call("200", "PUT", path`/rooms/${roomId}/state/org.example/${bob.userId}`, { body: {} });
    },
  ],
  [
    "aliases and the directory",
    async (stage) => {
      const [alice, bob] = [await stage.person("alice"), await stage.person("bob")];
      const roomId = await alice.room({ preset: "public_chat", name: stage.name("Listed") });
      const alias = `#${stage.name("alias")}:${stage.side.serverName}`;
      const at = path`/directory/room/${alias}`;
      await alice.call("404 M_NOT_FOUND", "GET", at);
      await alice.call("200", "PUT", at, { body: { room_id: roomId } });
      await bob.call("200", "GET", at);
      await bob.call("403 M_FORBIDDEN", "PUT", at, { body: { room_id: roomId } });
      await alice.call("409 M_UNKNOWN", "PUT", at, { body: { room_id: roomId } });
      await bob.call("403 M_FORBIDDEN", "DELETE", at);
      await alice.call("200", "GET", path`/rooms/${roomId}/aliases`);
      await alice.call("200", "PUT", state(roomId, "m.room.canonical_alias"), { body: { alias } });
      await alice.call("400 M_BAD_ALIAS", "PUT", state(roomId, "m.room.canonical_alias"), {
        body: { alias, alt_aliases: [`#nowhere-${stage.name("x")}:${stage.side.serverName}`] },
      });
      await alice.call("200", "GET", path`/directory/list/room/${roomId}`);
      await alice.call("200", "DELETE", at);
      await bob.call("404 M_NOT_FOUND", "POST", path`/join/${alias}`, { body: {} });
    },
  ],
  [
    "spaces, summaries, mutual rooms",
    async (stage) => {
      const [alice, bob] = [await stage.person("alice"), await stage.person("bob")];
      const child = await alice.room({ preset: "public_chat", name: "Kitchen" });
      const hidden = await alice.room({ preset: "private_chat", name: "Cellar" });
      const space = await alice.room({ preset: "public_chat", name: "House", creation_content: { type: "m.space" } });
      for (const id of [child, hidden]) {
        await alice.call("200", "PUT", path`/rooms/${space}/state/m.space.child/${id}`, {
          body: { via: [stage.side.serverName] },
        });
      }
      const at = `/_matrix/client/v1${path`/rooms/${space}/hierarchy`}`;
      for (const who of [alice, bob]) {
        const { rooms } = await who.call("200", "GET", at, { anyShape: true });
        stage.note("rooms found", Array.isArray(rooms) ? rooms.length : 0);
      }
      await bob.call("403 M_FORBIDDEN", "GET", `/_matrix/client/v1${path`/rooms/${hidden}/hierarchy`}`);
    },
  ],
  [
    "an upgrade to version 12",
    async (stage) => {
      const [alice, bob] = [await stage.person("alice"), await stage.person("bob")];
      const roomId = await alice.room({ preset: "public_chat", name: "Old", room_version: "11" });
      await bob.join(roomId);
      const upgrade = path`/rooms/${roomId}/upgrade`;
      await bob.call("403 M_FORBIDDEN", "POST", upgrade, { body: { new_version: "12" } });
      await alice.call("400 M_UNSUPPORTED_ROOM_VERSION", "POST", upgrade, { body: { new_version: "99" } });
      const { replacement_room: next } = await alice.call("200", "POST", upgrade, { body: { new_version: "12" } });
      const id = text(next);
      await alice.call("200", "GET", state(roomId, "m.room.tombstone"));
      const create = await alice.call("200", "GET", state(id, "m.room.create"));
      stage.note("keys of the predecessor", Object.keys(create["predecessor"] as object));
      stage.note("name", await alice.call("200", "GET", state(id, "m.room.name")));
      const levels = await alice.call("200", "GET", state(id, "m.room.power_levels"));
      stage.note("level of a tombstone", (levels["events"] as Record<string, number>)["m.room.tombstone"]);
      stage.note("listed users", Object.keys(levels["users"] as object).length);
      await bob.call("403 M_FORBIDDEN", "PUT", bob.sendPath(roomId), { body: { msgtype: "m.text", body: "late" } });
      await bob.join(id);
    },
  ],
];
