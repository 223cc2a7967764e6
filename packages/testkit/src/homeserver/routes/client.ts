import { MatrixError } from "../errors.js";
import type { RequestContext } from "../http/context.js";
import type { Reply } from "../http/reply.js";
import { ok } from "../http/reply.js";
import type { Router } from "../http/router.js";
import type { JsonObject } from "../json.js";
import { integerField, stringField } from "../json.js";

/** What clients ask for and a bridge does not: capabilities, VoIP, the user directory. */
export function clientRoutes(router: Router): void {
  router.add("GET", "/_matrix/client/v3/capabilities", capabilities);
  router.add("GET", "/_matrix/client/v3/voip/turnServer", () => ok());
  router.add("POST", "/_matrix/client/v3/user_directory/search", searchUsers);
  router.add("GET", "/_matrix/client/v1/auth_metadata", noOAuth, "optional");
}

function capabilities({ world }: RequestContext): Reply {
  return ok({
    capabilities: {
      "m.room_versions": {
        default: world.settings.defaultRoomVersion,
        available: Object.fromEntries(world.profile.roomVersions.map((version) => [version, "stable"])),
      },
      "m.change_password": { enabled: true },
      "m.set_displayname": { enabled: true },
      "m.set_avatar_url": { enabled: true },
      "m.3pid_changes": { enabled: false },
      "m.get_login_token": { enabled: false },
      "m.profile_fields": { enabled: true },
    },
  });
}

/** The legacy authentication API is the only one here. */
function noOAuth(): Reply {
  throw new MatrixError(404, "M_UNRECOGNIZED", "Unrecognized request");
}

/** Ghosts of exclusive namespaces are left out, as in Synapse. */
function searchUsers(context: RequestContext): Reply {
  const body = context.json();
  const term = (stringField(body, "search_term") ?? "").toLowerCase();
  const limit = integerField(body, "limit") ?? 10;
  const services = [...context.world.services.values()];
  const results: JsonObject[] = [];
  for (const account of context.world.accounts.all()) {
    const name = account.profile.get("displayname");
    const text = `${account.userId} ${typeof name === "string" ? name : ""}`.toLowerCase();
    if (!text.includes(term) || services.some(({ info }) => info.claimsUser(account.userId))) continue;
    if (account.deactivated) continue;
    const avatar = account.profile.get("avatar_url");
    results.push({
      user_id: account.userId,
      ...(typeof name === "string" ? { display_name: name } : {}),
      ...(typeof avatar === "string" ? { avatar_url: avatar } : {}),
    });
  }
  return ok({ results: results.slice(0, limit), limited: results.length > limit });
}
