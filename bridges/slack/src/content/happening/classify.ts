import { isRecord, recordIn, textIn, type JsonRecord } from "../json.js";
import { channelReaders } from "./channel.js";
import { messageOutcome } from "./message.js";
import { ignored, type Outcome } from "./outcome.js";
import { workspaceReaders } from "./workspace.js";

type Reader = (event: JsonRecord, type: string) => Outcome;

const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ...Object.entries(channelReaders),
  ...Object.entries(workspaceReaders),
  ["message", messageOutcome],
]);

const app = "it is about the app's own pages and dialogues";
const workflow = "workflows are not bridged";
const rights = "what the app may do is asked for, not told";
const personal = "it is about one person's own view";
const twice = "the message that carries the file tells the same";

/** Events that the bridge knows and has nothing to do for. */
const silent: ReadonlyMap<string, string> = new Map(
  Object.entries({
    app_home_opened: app,
    app_mention: "the message event tells the same",
    app_requested: app,
    app_context_changed: app,
    app_installed: app,
    app_deleted: app,
    assistant_thread_started: app,
    assistant_thread_context_changed: app,
    call_rejected: "calls are not bridged",
    channel_joined: "member_joined_channel tells the same",
    group_joined: "member_joined_channel tells the same",
    dnd_updated: personal,
    dnd_updated_user: personal,
    email_domain_changed: "who may join the workspace is not bridged",
    file_created: twice,
    file_shared: twice,
    file_public: twice,
    file_unshared: "the change of the message tells the same",
    file_comment_added: twice,
    file_comment_edited: twice,
    file_comment_deleted: twice,
    goodbye: "it is about the connection",
    hello: "it is about the connection",
    group_close: personal,
    group_open: personal,
    im_close: personal,
    invite_requested: "who may join the workspace is not bridged",
    link_shared: "previews of links are not bridged",
    message_metadata_posted: "the message event tells the same",
    message_metadata_updated: "the message event tells the same",
    message_metadata_deleted: "the message event tells the same",
    resources_added: rights,
    resources_removed: rights,
    scope_denied: rights,
    scope_granted: rights,
    shared_channel_invite_accepted: "channel_shared tells it",
    shared_channel_invite_approved: "channel_shared tells it",
    shared_channel_invite_declined: "nothing changes by it",
    shared_channel_invite_received: "nothing changes by it",
    shared_channel_invite_requested: "nothing changes by it",
    star_added: personal,
    star_removed: personal,
    subteam_self_added: personal,
    subteam_self_removed: personal,
    team_access_granted: rights,
    team_access_revoked: rights,
    user_resource_denied: rights,
    user_resource_granted: rights,
    user_resource_removed: rights,
    workflow_deleted: workflow,
    workflow_published: workflow,
    workflow_unpublished: workflow,
    workflow_step_deleted: workflow,
    workflow_step_execute: workflow,
    function_executed: workflow,
  }),
);

/** What an event means: the `event` within the envelope that Slack sends. Any value has an outcome. */
export function outcomeOf(event: unknown): Outcome {
  const type = isRecord(event) ? textIn(event, "type") : undefined;
  if (!isRecord(event) || type === undefined) return { outcome: "unknown", type: "nothing" };
  const read = readers.get(type);
  if (read !== undefined) return read(event, type);
  const reason = silent.get(type);
  return reason === undefined ? { outcome: "unknown", type } : ignored(type, reason);
}

/**
 * What an envelope means: mostly its `event`. Slack tells `app_rate_limited` by an envelope without one.
 */
export function envelopeOutcome(envelope: unknown): Outcome {
  if (!isRecord(envelope)) return outcomeOf(undefined);
  return outcomeOf(
    recordIn(envelope, "event") ?? (textIn(envelope, "type") === "app_rate_limited" ? envelope : undefined),
  );
}
