import { z } from "zod";
import { ChannelId, RoomId } from "../connector/ids.js";
import type { LinkView, QueueDetail, QueueEntry, ReloadView, StatusView } from "./services.js";

/** The wire form of the operations API, for both of its sides. */

const bridge = z.string().min(1);
const room = z.string().regex(/^[!#]/, "expected a room id (!…) or alias (#…:…)");
const channel = z.string().min(1);
const seq = z.int().positive();

export const queueState = z.enum(["queued", "waiting", "dead"]);
export const direction = z.enum(["toNetwork", "toMatrix"]);

export const linkRequest = z.strictObject({ bridge, room, channel });
export const unlinkRequest = z.strictObject({ bridge, room, channel: channel.optional() });
export const selectionRequest = z.union([
  z.strictObject({ all: z.literal(true) }),
  z.strictObject({ seqs: z.array(seq).min(1).max(1000) }),
]);
export const listQuery = z.strictObject({ bridge: bridge.optional() });
export const queueQuery = z.strictObject({
  bridge: bridge.exactOptional(),
  state: queueState.exactOptional(),
  direction: direction.exactOptional(),
  limit: z.coerce.number().int().min(1).max(1000).exactOptional(),
  after: z.coerce.number().int().nonnegative().exactOptional(),
});
export const seqParameter = z.coerce.number().int().positive();

export const linkView = z.object({
  bridge: z.string(),
  room: z.string().transform(RoomId),
  channel: z.string().transform(ChannelId),
  channelName: z.string(),
  kind: z.enum(["portal", "plumbed", "direct"]),
  otherRooms: z.int().optional(),
  comesBack: z.boolean().optional(),
}) satisfies z.ZodType<LinkView>;

const queueEntryShape = {
  seq: z.int(),
  bridge: z.string(),
  direction,
  state: queueState,
  lane: z.string(),
  source: z.string(),
  attempts: z.int(),
  receivedAt: z.number(),
  error: z.string().exactOptional(),
};
export const queueEntry = z.object(queueEntryShape) satisfies z.ZodType<QueueEntry>;
export const queueDetail = z.object({ ...queueEntryShape, payload: z.unknown() }) satisfies z.ZodType<QueueDetail>;

const flow = z.object({ queued: z.number(), dead: z.number(), oldestMs: z.number(), delivered: z.number() });
const connection = z.object({
  connection: z.string(),
  state: z.enum(["connecting", "connected", "waiting", "failed", "closed"]),
  detail: z.string().exactOptional(),
});
const policyList = z.object({
  list: z.string(),
  state: z.enum(["read", "kept", "unread"]),
  bans: z.number(),
  detail: z.string().exactOptional(),
});
export const statusView = z.object({
  version: z.string(),
  startedAt: z.number(),
  homeserver: z.object({
    url: z.string(),
    reachable: z.boolean(),
    ping: z.object({ ok: z.boolean(), detail: z.string(), at: z.number() }).nullable(),
    lastTransactionAt: z.number().nullable(),
  }),
  bridges: z.array(
    z.object({
      name: z.string(),
      network: z.string(),
      links: z.number(),
      connections: z.array(connection),
      toNetwork: flow,
      toMatrix: flow,
      policyLists: z.array(policyList),
    }),
  ),
}) satisfies z.ZodType<StatusView>;

const names = z.array(z.string());
export const reloadView = z.object({
  refused: z.object({ why: z.enum(["configuration", "registration", "connector"]), message: z.string() }).nullable(),
  changed: names,
  needsRestart: names,
  started: names,
  restarted: names,
  stopped: names,
  failed: z.array(z.object({ bridge: z.string(), reason: z.string(), runs: z.boolean() })),
}) satisfies z.ZodType<ReloadView>;

export const serviceErrorCode = z.enum(["notFound", "forbidden", "conflict", "invalid", "unavailable"]);
export const errorBody = z.object({ error: z.string(), message: z.string() });
export const countBody = z.object({ count: z.int().nonnegative() });
