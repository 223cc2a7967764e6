import { given, numberIn, recordIn, textIn, textsIn, type JsonRecord } from "../json.js";
import { bridged, incomplete, type EmojiChange, type Outcome } from "./outcome.js";

type Reader = (event: JsonRecord, type: string) => Outcome;

/** What the events about reactions, pins, files, people and the workspace itself mean. */
export const workspaceReaders: Readonly<Record<string, Reader>> = {
  reaction_added: (event, type) => reaction(event, type, "added"),
  reaction_removed: (event, type) => reaction(event, type, "removed"),
  pin_added: (event, type) => pin(event, type, "added"),
  pin_removed: (event, type) => pin(event, type, "removed"),
  user_change: user,
  user_profile_changed: user,
  user_status_changed: user,
  user_huddle_changed: user,
  team_join: user,
  team_rename: (event, type) => {
    const name = textIn(event, "name");
    return name === undefined ? incomplete(type, "name") : bridged({ kind: "teamName", name });
  },
  team_domain_change: (event, type) => {
    const domain = textIn(event, "domain");
    return domain === undefined
      ? incomplete(type, "domain")
      : bridged(given({ kind: "teamDomain", domain, url: textIn(event, "url") } as const));
  },
  emoji_changed: (event) => bridged({ kind: "emoji", change: emojiChange(event) }),
  subteam_created: usergroup,
  subteam_updated: usergroup,
  subteam_members_changed: usergroup,
  file_deleted: (event, type) => file(event, type, "fileDeleted"),
  file_change: (event, type) => file(event, type, "fileChanged"),
  app_uninstalled: () => bridged({ kind: "uninstalled" }),
  app_uninstalled_team: () => bridged({ kind: "uninstalled" }),
  tokens_revoked: (event) => {
    const tokens = recordIn(event, "tokens") ?? {};
    return bridged({ kind: "tokensRevoked", users: textsIn(tokens, "oauth"), bots: textsIn(tokens, "bot") });
  },
  app_rate_limited: (event) =>
    bridged(given({ kind: "rateLimited", minute: numberIn(event, "minute_rate_limited") } as const)),
  grid_migration_started: (event) => migration(event, "started"),
  grid_migration_finished: (event) => migration(event, "finished"),
};

function reaction(event: JsonRecord, type: string, change: "added" | "removed"): Outcome {
  const item = recordIn(event, "item");
  const [channel, ts] = item === undefined ? [] : [textIn(item, "channel"), textIn(item, "ts")];
  if (channel === undefined || ts === undefined) return incomplete(type, "message that it is on");
  const [by, name] = [textIn(event, "user"), textIn(event, "reaction")];
  if (by === undefined) return incomplete(type, "user");
  if (name === undefined) return incomplete(type, "reaction");
  const key = `reaction/${ts}/${by}/${name}/${change}/${textIn(event, "event_ts") ?? ""}`;
  return bridged({ kind: "reaction", change, channel, key, ts, user: by, name });
}

function pin(event: JsonRecord, type: string, change: "added" | "removed"): Outcome {
  const item = recordIn(event, "item") ?? {};
  const message = recordIn(item, "message");
  const channel = textIn(event, "channel_id") ?? textIn(item, "channel");
  const ts = (message === undefined ? undefined : textIn(message, "ts")) ?? textIn(item, "ts");
  if (channel === undefined || ts === undefined) return incomplete(type, "message that it is on");
  const key = `pin/${ts}/${change}/${textIn(event, "event_ts") ?? ""}`;
  return bridged(given({ kind: "pin", change, channel, key, ts, user: textIn(event, "user") } as const));
}

function user(event: JsonRecord, type: string): Outcome {
  const profile = recordIn(event, "user");
  const id = profile === undefined ? undefined : textIn(profile, "id");
  if (profile === undefined || id === undefined) return incomplete(type, "user");
  return bridged({ kind: "user", id, user: profile });
}

function emojiChange(event: JsonRecord): EmojiChange {
  switch (textIn(event, "subtype")) {
    case "add": {
      const [name, value] = [textIn(event, "name"), textIn(event, "value")];
      return name === undefined || value === undefined ? { how: "unknown" } : { how: "added", name, value };
    }
    case "remove": {
      const names = textsIn(event, "names");
      return names.length === 0 ? { how: "unknown" } : { how: "removed", names };
    }
    case "rename": {
      const [from, to] = [textIn(event, "old_name"), textIn(event, "new_name")];
      return from === undefined || to === undefined ? { how: "unknown" } : { how: "renamed", from, to };
    }
    default:
      return { how: "unknown" };
  }
}

function usergroup(event: JsonRecord, type: string): Outcome {
  const group = recordIn(event, "subteam") ?? {};
  const id = textIn(group, "id") ?? textIn(event, "subteam_id");
  if (id === undefined) return incomplete(type, "user group");
  const deleted = (numberIn(group, "date_delete") ?? 0) > 0;
  return bridged(given({ kind: "usergroup", id, handle: textIn(group, "handle"), deleted } as const));
}

function file(event: JsonRecord, type: string, kind: "fileDeleted" | "fileChanged"): Outcome {
  const inside = recordIn(event, "file");
  const id = textIn(event, "file_id") ?? (inside === undefined ? undefined : textIn(inside, "id"));
  return id === undefined ? incomplete(type, "file") : bridged({ kind, file: id });
}

function migration(event: JsonRecord, state: "started" | "finished"): Outcome {
  return bridged(given({ kind: "gridMigration", state, enterprise: textIn(event, "enterprise_id") } as const));
}
