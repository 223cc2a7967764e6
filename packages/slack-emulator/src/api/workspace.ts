import { z } from "zod";
import { compact } from "../json.js";
import { flag, optionalText } from "./args.js";
import { teamUrl } from "../views/channel.js";
import { SlackError } from "./error.js";
import { type Method, method } from "./method.js";

/** team.info, emoji.list */
export const workspaceMethods: readonly Method[] = [
  method("team.info", ["team:read"], z.object({ team: optionalText, domain: optionalText }), (caller, args) => {
    const { world } = caller;
    const team = args.team === undefined ? caller.team : world.teams.get(args.team);
    if (team === undefined) throw new SlackError("team_not_found");
    const icon: Record<string, string | boolean> = { image_default: true };
    for (const size of [34, 44, 68, 88, 102, 132, 230])
      icon[`image_${size}`] = `${world.baseUrl}/avatars/${team.id}-team-${size}.png`;
    return {
      team: compact({
        id: team.id,
        name: team.name,
        domain: team.domain,
        url: teamUrl(world, team.id),
        email_domain: team.emailDomain,
        icon,
        is_verified: false,
        avatar_base_url: `${world.baseUrl}/avatars/`,
        enterprise_id: team.enterprise?.id,
        enterprise_name: team.enterprise?.name,
        enterprise_domain: team.enterprise?.domain,
      }),
    };
  }),
  method("emoji.list", ["emoji:read"], z.object({ include_categories: flag }), (caller) => ({
    emoji: Object.fromEntries(caller.team.emoji),
    cache_ts: caller.world.eventTs(),
  })),
];
