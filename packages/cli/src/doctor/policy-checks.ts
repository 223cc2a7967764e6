import type { Config, Registration } from "@trestle/core";
import { z } from "zod";
import { failed, ok, skipped, warning } from "./finding.js";
import type { Finding } from "./finding.js";
import { describe } from "./homeserver-checks.js";
import { askHomeserver } from "./homeserver-request.js";
import type { Answered, Unanswered } from "./homeserver-request.js";

const check = "policyLists";
const joinedRooms = z.object({ joined_rooms: z.array(z.string()) });
const aliased = z.object({ room_id: z.string() });

/** Is the bot in the rooms of the policy lists? It joins them itself, where it may. */
export async function checkPolicyLists(
  { homeserver, policyLists }: Config,
  bridge: string,
  registration: Registration,
): Promise<readonly Finding[]> {
  if (policyLists.length === 0) return [];
  const ask = (path: string): Promise<Answered | Unanswered> =>
    askHomeserver(homeserver.url, `/_matrix/client/v3${path}`, { token: registration.asToken });
  const answer = await ask("/joined_rooms");
  const rooms = answer.kind === "answered" ? joinedRooms.safeParse(answer.body) : undefined;
  if (rooms?.success !== true)
    return [skipped(check, `Which rooms the bot is in could not be found out (${describe(answer)}).`, { bridge })];
  const joined = new Set(rooms.data.joined_rooms);
  return Promise.all(
    policyLists.map(async (list) => {
      const room = list.startsWith("!") ? list : await roomOf(list, bridge, ask);
      return typeof room === "string" ? whetherIn(list, joined.has(room), registration.bot, bridge) : room;
    }),
  );
}

async function roomOf(
  alias: string,
  bridge: string,
  ask: (path: string) => Promise<Answered | Unanswered>,
): Promise<string | Finding> {
  const answer = await ask(`/directory/room/${encodeURIComponent(alias)}`);
  const found = answer.kind === "answered" ? aliased.safeParse(answer.body) : undefined;
  if (found?.success === true) return found.data.room_id;
  if (answer.kind === "answered" && answer.status === 404)
    return failed(check, `There is no room ${alias}.`, "Correct policyLists, or make the alias.", { bridge });
  return skipped(check, `Which room ${alias} is could not be found out (${describe(answer)}).`, { bridge });
}

function whetherIn(list: string, isIn: boolean, bot: string, bridge: string): Finding {
  if (isIn) return ok(check, `${bot} is in the policy list ${list}.`, { bridge });
  return warning(
    check,
    `${bot} is not in the policy list ${list}, so nobody new is banned by it.`,
    `trestle run joins it where it is public; otherwise invite ${bot} there.`,
    { bridge },
  );
}
