import type { Case } from "../cases.js";
import type { Actor } from "../stage.js";
import { path } from "../stage.js";

async function two(stage: Parameters<Case[1]>[0]): Promise<readonly [Actor, Actor]> {
  return [await stage.person("alice"), await stage.person("bob")];
}

function change(actor: Actor, roomId: string, what: string, userId: string, expected = "200"): Promise<unknown> {
  return actor.call(expected, "POST", `${path`/rooms/${roomId}`}/${what}`, { body: { user_id: userId } });
}

export const membershipCases: readonly Case[] = [
  [
    "joining",
    async (stage) => {
      const [alice, bob] = await two(stage);
      const closed = await alice.room({ preset: "private_chat" });
      await bob.join(closed, "403 M_FORBIDDEN");
      await change(alice, closed, "invite", bob.userId);
      await bob.join(closed);
      await bob.join(closed);
      const open = await alice.room({ preset: "public_chat" });
      await bob.call("200", "POST", path`/join/${open}`, { body: {} });
      await bob.call("404 M_UNKNOWN", "POST", path`/join/${"!nowhere:contract.test"}`, { body: {} });
      await bob.call("400 M_UNKNOWN", "POST", "/join/nonsense", { body: {} });
      await bob.call("200", "GET", "/joined_rooms");
    },
  ],
  [
    "inviting",
    async (stage) => {
      const [alice, bob] = await two(stage);
      const carol = await stage.person("carol");
      const roomId = await alice.room({ preset: "public_chat" });
      await change(bob, roomId, "invite", carol.userId, "403 M_FORBIDDEN");
      await bob.join(roomId);
      await change(bob, roomId, "invite", carol.userId, "403 M_FORBIDDEN");
      await change(alice, roomId, "invite", bob.userId, "403 M_FORBIDDEN");
      await change(alice, roomId, "ban", carol.userId);
      await change(alice, roomId, "invite", carol.userId, "403 M_BAD_STATE");
      await alice.call("400 M_INVALID_PARAM", "POST", path`/rooms/${roomId}/invite`, { body: { user_id: "nobody" } });
      await alice.call("400 M_MISSING_PARAM", "POST", path`/rooms/${roomId}/kick`, { body: {} });
    },
  ],
  [
    "leaving and forgetting",
    async (stage) => {
      const [alice, bob] = await two(stage);
      const roomId = await alice.room({ preset: "private_chat" });
      const leave = path`/rooms/${roomId}/leave`;
      await bob.call("403 M_FORBIDDEN", "POST", leave, { body: {} });
      await change(alice, roomId, "invite", bob.userId);
      await bob.call("200", "POST", leave, { body: { reason: "no" } });
      await bob.join(roomId, "403 M_FORBIDDEN");
      await change(alice, roomId, "invite", bob.userId);
      await bob.join(roomId);
      await bob.call("400 M_UNKNOWN", "POST", path`/rooms/${roomId}/forget`, { body: {} });
      await bob.call("200", "POST", leave, { body: {} });
      await bob.call("200", "POST", leave, { body: {} });
      await bob.call("200", "POST", path`/rooms/${roomId}/forget`, { body: {} });
      await bob.call("403 M_FORBIDDEN", "PUT", bob.sendPath(roomId), { body: { msgtype: "m.text", body: "x" } });
    },
  ],
  [
    "kicking, banning, unbanning",
    async (stage) => {
      const [alice, bob] = await two(stage);
      const roomId = await alice.room({ preset: "public_chat" });
      await change(alice, roomId, "kick", bob.userId, "403 M_FORBIDDEN");
      await bob.join(roomId);
      await change(alice, roomId, "kick", bob.userId);
      await bob.join(roomId);
      await change(alice, roomId, "ban", bob.userId);
      await bob.join(roomId, "403 M_BAD_STATE");
      await change(alice, roomId, "kick", bob.userId, "403 M_BAD_STATE");
      await change(alice, roomId, "unban", bob.userId);
      await change(alice, roomId, "unban", bob.userId, "403 M_BAD_STATE");
      await bob.join(roomId);
    },
  ],
  [
    "knocking",
    async (stage) => {
      const [alice, bob] = await two(stage);
      const plain = await alice.room({ preset: "private_chat" });
      await bob.call("403 M_FORBIDDEN", "POST", path`/knock/${plain}`, { body: {} });
      const roomId = await alice.room({
        initial_state: [{ type: "m.room.join_rules", state_key: "", content: { join_rule: "knock" } }],
      });
      await bob.call("200", "POST", path`/knock/${roomId}`, { body: { reason: "please" } });
      await change(alice, roomId, "invite", bob.userId);
      await bob.join(roomId);
      await bob.call("403 M_FORBIDDEN", "POST", path`/knock/${roomId}`, { body: {} });
    },
  ],
  [
    "restricted rooms",
    async (stage) => {
      const [alice, bob] = await two(stage);
      const space = await alice.room({ preset: "public_chat", creation_content: { type: "m.space" } });
      const content = { join_rule: "restricted", allow: [{ type: "m.room_membership", room_id: space }] };
      const roomId = await alice.room({
        initial_state: [{ type: "m.room.join_rules", state_key: "", content }],
      });
      await bob.join(roomId, "403 M_FORBIDDEN");
      await bob.join(space);
      await bob.join(roomId);
      const member = await bob.call("200", "GET", path`/rooms/${roomId}/state/m.room.member/${bob.userId}`);
      stage.note("authorised by alice", member["join_authorised_via_users_server"] === alice.userId);
    },
  ],
  [
    "memberships by /state",
    async (stage) => {
      const [alice, bob] = await two(stage);
      const roomId = await alice.room({ preset: "public_chat" });
      const at = (userId: string): string => path`/rooms/${roomId}/state/m.room.member/${userId}`;
      await bob.call("200", "PUT", at(bob.userId), { body: { membership: "join", displayname: "Bob here" } });
      stage.note("as sent", (await alice.call("200", "GET", at(bob.userId)))["displayname"]);
      await bob.call("403 M_FORBIDDEN", "PUT", at(alice.userId), { body: { membership: "leave" } });
      await alice.call("200", "PUT", at(bob.userId), { body: { membership: "leave", reason: "out" } });
      await alice.call("403 M_FORBIDDEN", "PUT", at(bob.userId), { body: { membership: "join" } });
      await bob.call("400 M_UNKNOWN", "PUT", at(bob.userId), { body: { membership: "nonsense" } });
    },
  ],
];
