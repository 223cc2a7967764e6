import type { ChannelId } from "@trestle/core";
import { lookupsOf, type SlackMessage, type SlackNames } from "../content/index.js";
import type { Channels } from "../channels/channels.js";
import { channelIdOf } from "../ids.js";
import type { WorkspaceEmoji } from "../emoji/index.js";
import type { SlackResult, Workspace } from "../link/index.js";
import type { People } from "../people/people.js";

export interface NamesParts {
  readonly people: People;
  readonly channels: Channels;
  readonly emoji: WorkspaceEmoji;
}

/** So many people and channels of one message are looked up; who is named behind them stays an id. */
const mostLookups = 50;

/** Looks up whom and what a message names, so that it can be read at once afterwards. */
export async function namesFor(
  { people, channels, emoji }: NamesParts,
  workspace: Workspace,
  message: SlackMessage,
  signal: AbortSignal,
): Promise<SlackResult<Partial<SlackNames>>> {
  const lookups = lookupsOf(message);
  for (const user of [...lookups.users].slice(0, mostLookups)) {
    const found = await people.find(workspace, user, { signal });
    if (!found.ok) return found;
  }
  for (const channel of [...lookups.channels].slice(0, mostLookups)) {
    const found = await channels.find(workspace, channel, signal);
    if (!found.ok && found.failed !== "permanent") return found;
  }
  const shown = await emoji.shown(workspace, lookups.emoji);
  return { ok: true, body: { ...knownNames({ people, channels }, workspace), emoji: (name) => shown.get(name) } };
}

function knownNames(
  { people, channels }: Pick<NamesParts, "people" | "channels">,
  workspace: Workspace,
): Partial<SlackNames> {
  return {
    user: (id) => {
      const person = people.known(workspace, id)?.remote;
      return person && { name: person.name ?? id, target: { kind: "remoteUser", id: person.id } };
    },
    channel: (id) => {
      const name = channels.known(workspace, id)?.name;
      const remote: ChannelId = channelIdOf({ team: workspace.id, channel: id });
      return name === undefined ? undefined : { name, target: { kind: "remoteChannel", id: remote } };
    },
  };
}
