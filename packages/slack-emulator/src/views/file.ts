import { compact, type JsonObject } from "../json.js";
import type { StoredFile } from "../state/files.js";
import type { World } from "../state/world.js";
import { teamUrl } from "./channel.js";

const thumbnailSizes = [64, 80, 160, 360, 480, 720, 960, 1024];

function thumbnails(file: StoredFile, base: string): JsonObject {
  const fields: JsonObject = {};
  if (!file.mimetype.startsWith("image/") || file.width === undefined || file.height === undefined) return fields;
  const longest = Math.max(file.width, file.height);
  for (const size of thumbnailSizes) {
    if (size > 160 && size > longest) continue;
    fields[`thumb_${size}`] = `${base}/thumb_${size}/${encodeURIComponent(file.name)}`;
    if (size >= 360) {
      fields[`thumb_${size}_w`] = Math.round((file.width * Math.min(size, longest)) / longest);
      fields[`thumb_${size}_h`] = Math.round((file.height * Math.min(size, longest)) / longest);
    }
  }
  fields.original_w = file.width;
  fields.original_h = file.height;
  fields.thumb_tiny = "";
  return fields;
}

function sharesView(world: World, file: StoredFile): JsonObject {
  const view: { public: JsonObject; private: JsonObject } = { public: {}, private: {} };
  for (const share of file.shares) {
    const channel = world.channels.get(share.channelId);
    if (channel === undefined) continue;
    const kind = channel.kind === "public" ? view.public : view.private;
    const row = compact({
      reply_users: [],
      reply_users_count: 0,
      reply_count: 0,
      ts: share.ts,
      thread_ts: share.threadTs,
      channel_name: channel.name,
      team_id: file.teamId,
      share_user_id: file.userId,
      source: "UNKNOWN",
    });
    const before = kind[channel.id];
    kind[channel.id] = Array.isArray(before) ? [...before, row] : [row];
  }
  const shares: JsonObject = {};
  if (Object.keys(view.public).length > 0) shares.public = view.public;
  if (Object.keys(view.private).length > 0) shares.private = view.private;
  return shares;
}

/** What is left of a deleted file in the messages that carried it. */
function tombstone(file: StoredFile): JsonObject {
  return { id: file.id, mode: "tombstone" };
}

function typeFields(file: StoredFile): JsonObject {
  return compact({
    mimetype: file.mimetype,
    filetype: file.filetype,
    pretty_type: file.filetype.toUpperCase(),
    subtype: file.voice ? "slack_audio" : undefined,
    duration_ms: file.voice ? 1000 : undefined,
    alt_txt: file.altText,
    media_display_type: /^(?:audio|video)\//.test(file.mimetype) ? file.mimetype.slice(0, 5) : "unknown",
  });
}

/** A file object. */
export function fileView(world: World, file: StoredFile): JsonObject {
  if (file.deleted) return tombstone(file);
  const base = `${world.baseUrl}/files-pri/${file.teamId}-${file.id}`;
  const external = file.mode === "external";
  const secret = file.publicSecret;
  const kinds = { channels: [] as string[], groups: [] as string[], ims: [] as string[] };
  for (const share of file.shares) {
    const kind = world.channels.get(share.channelId)?.kind;
    const list = kind === "public" ? kinds.channels : kind === "im" ? kinds.ims : kinds.groups;
    if (!list.includes(share.channelId)) list.push(share.channelId);
  }
  return compact({
    id: file.id,
    created: file.created,
    timestamp: file.created,
    name: file.name,
    title: file.title,
    ...typeFields(file),
    user: file.userId,
    user_team: file.teamId,
    editable: file.mode === "snippet",
    size: file.size,
    mode: file.mode,
    is_external: external,
    external_type: external ? "unknown" : "",
    external_url: external ? file.externalUrl : undefined,
    is_public: kinds.channels.length > 0,
    public_url_shared: secret !== undefined,
    display_as_bot: false,
    username: "",
    url_private: external ? (file.externalUrl ?? "") : `${base}/${encodeURIComponent(file.name)}`,
    url_private_download: external ? undefined : `${base}/download/${encodeURIComponent(file.name)}`,
    permalink: `${teamUrl(world, file.teamId)}files/${file.userId}/${file.id}/${encodeURIComponent(file.name)}`,
    permalink_public:
      secret === undefined ? undefined : `${world.baseUrl}/files-pub/${file.teamId}-${file.id}-${secret}`,
    ...thumbnails(file, base),
    comments_count: 0,
    is_starred: false,
    shares: sharesView(world, file),
    ...kinds,
    has_more_shares: false,
    has_rich_preview: false,
    file_access: "visible",
  });
}
