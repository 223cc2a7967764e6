import type { ChannelId, SpaceInfo } from "@trestle/core";
import { LRUCache } from "lru-cache";
import { z } from "zod";
import { decodeEntities } from "../content/index.js";
import { placeOf } from "../ids.js";
import type { Installations, Workspace } from "../link/index.js";

const teamSchema = z.looseObject({
  team: z.looseObject({
    name: z.string(),
    domain: z.string().optional(),
    icon: z
      .looseObject({
        image_default: z.boolean().optional(),
        image_230: z.string().optional(),
        image_132: z.string().optional(),
      })
      .optional(),
  }),
});

const rememberedMs = 60 * 60_000;

/** Workspaces as spaces: their names and pictures, asked of Slack once an hour at most and when they change. */
export class WorkspaceSpaces {
  readonly #known = new LRUCache<string, SpaceInfo>({ max: 1_000, ttl: rememberedMs });

  constructor(readonly installations: Installations) {}

  /** @throws Error where Slack cannot be asked now */
  async of(channel: ChannelId): Promise<SpaceInfo | null> {
    const place = placeOf(channel);
    if (!place) return null;
    const known = this.#known.get(place.team);
    if (known) return known;
    const workspace = this.installations.get(place.team);
    if (!workspace) throw new Error(`the app is not in the workspace ${place.team} (yet)`);
    const space = await ask(workspace);
    this.#known.set(place.team, space);
    return space;
  }

  forget(team: string): void {
    this.#known.delete(team);
  }
}

async function ask(workspace: Workspace): Promise<SpaceInfo> {
  const result = await workspace.call({ method: "team.info", arguments: {}, answer: teamSchema });
  if (!result.ok) throw new Error(`Slack does not tell about the workspace ${workspace.id}: ${result.reason}`);
  const { name, icon = {} } = result.body.team;
  const picture = icon.image_default === true ? undefined : (icon.image_230 ?? icon.image_132);
  return {
    id: workspace.id,
    name: decodeEntities(name),
    ...(picture !== undefined && { picture: { id: picture, url: picture } }),
  };
}
