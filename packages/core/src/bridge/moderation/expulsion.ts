import type { ExpulsionReceived } from "../../connector/events.js";
import { UserId, type RoomId } from "../../connector/ids.js";
import { dead, done, type Verdict } from "../../delivery/entry.js";
import { classify } from "../../matrix/failure.js";
import type { BridgeRuntime } from "../runtime.js";
import { verdictOf } from "../to-matrix/send.js";

/** A ban that the bridge made says here which channel it comes from. */
const bannedKey = "dev.trestle.banned_from";

/** Removes a Matrix user from a room because the network removed them from its channel, or lets them in again. */
export async function expel(runtime: BridgeRuntime, room: RoomId, event: ExpulsionReceived): Promise<Verdict> {
  const { client } = runtime;
  const { change, channel } = event;
  const user = UserId(event.userId);
  const state = await client.getState({ room, type: "m.room.member", stateKey: user });
  if (!state.ok) return classify(state.failure).action === "retry" ? verdictOf(state.failure) : dead(refused(user));
  const { membership, [bannedKey]: bannedFrom } = state.body ?? {};
  const reason = reasonOf(runtime, event);
  const isIn = membership === "join" || membership === "invite" || membership === "knock";
  if (change === "kick" ? !isIn : (membership === "ban") === (change === "ban")) return done();
  if (change === "unban" && bannedFrom !== channel) return done();
  const result =
    change === "kick"
      ? await client.kick(room, user, { reason })
      : change === "unban"
        ? await client.unban(room, user)
        : await client.sendState({
            room,
            type: "m.room.member",
            stateKey: user,
            content: { membership: "ban", reason, [bannedKey]: channel },
          });
  if (result.ok) return done();
  return classify(result.failure).action === "retry" ? verdictOf(result.failure) : dead(refused(user));
}

function reasonOf({ networkName }: BridgeRuntime, { by, reason }: ExpulsionReceived): string {
  const who = by?.name === undefined ? `On ${networkName}` : `By ${by.name} on ${networkName}`;
  return reason === undefined || reason === "" ? who : `${who}: ${reason}`;
}

function refused(user: UserId): string {
  return `The bridge bot may not remove ${user} from the room, or let them in again. Give it the power to, or switch that off with \`channelSettings\`.`;
}
