import { z } from "zod";
import type { Json, JsonObject } from "../json.js";
import type { AppHandle } from "../people/app-handle.js";
import type { Person } from "../people/person.js";
import type { Workspace } from "../people/workspace.js";

const channel = z.string();
const message = z.object({ channel: z.string(), ts: z.string() });
const blocks = z.array(z.json()).optional();
const postOptions = {
  blocks,
  attachments: z.array(z.json()).optional(),
  threadTs: z.string().optional(),
  broadcast: z.boolean().optional(),
  ts: z.string().optional(),
};

/** Something another process can have done: its arguments are checked, its outcome is JSON. */
interface Action<Target> {
  run(target: Target, raw: unknown): Promise<Json>;
}

function action<Target, Schema extends z.ZodType>(
  args: Schema,
  run: (target: Target, args: z.output<Schema>) => unknown,
): Action<Target> {
  return {
    run: async (target, raw) => {
      const outcome = z.json().safeParse((await run(target, args.parse(raw ?? {}))) ?? null);
      return outcome.success ? outcome.data : null;
    },
  };
}

function defined<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}

const name = z.object({ name: z.string() });
const inChannel = z.object({ channel });

/** What a person can do, by name. */
export const personActions: Readonly<Record<string, Action<Person>>> = {
  post: action(
    z.object({ channel, text: z.string(), ...postOptions }),
    (person: Person, { channel: where, text, ...options }) => person.post(where, text, defined(options)),
  ),
  me: action(z.object({ channel, text: z.string() }), (person: Person, args) => person.me(args.channel, args.text)),
  edit: action(message.extend({ text: z.string() }), (person: Person, args) => person.edit(args, args.text)),
  delete: action(message, (person: Person, args) => person.delete(args)),
  react: action(message.extend({ name: z.string() }), (person: Person, args) => person.react(args, args.name)),
  unreact: action(message.extend({ name: z.string() }), (person: Person, args) => person.unreact(args, args.name)),
  pin: action(message, (person: Person, args) => person.pin(args)),
  unpin: action(message, (person: Person, args) => person.unpin(args)),
  upload: action(
    z.object({
      channel,
      name: z.string(),
      contentBase64: z.base64(),
      title: z.string().optional(),
      altText: z.string().optional(),
      comment: z.string().optional(),
      threadTs: z.string().optional(),
    }),
    (person: Person, { channel: where, name: file, contentBase64, title, altText, ...options }) =>
      person.upload(
        where,
        { name: file, content: Buffer.from(contentBase64, "base64"), ...defined({ title, altText }) },
        defined(options),
      ),
  ),
  deleteFile: action(z.object({ file: z.string() }), (person: Person, args) => person.deleteFile(args.file)),
  join: action(inChannel, (person: Person, args) => person.join(args.channel)),
  leave: action(inChannel, (person: Person, args) => person.leave(args.channel)),
  invite: action(inChannel.extend({ who: z.string() }), (person: Person, args) =>
    person.invite(args.channel, args.who),
  ),
  kick: action(inChannel.extend({ who: z.string() }), (person: Person, args) => person.kick(args.channel, args.who)),
  createChannel: action(
    name.extend({ private: z.boolean().optional() }),
    (person: Person, args) => person.createChannel(args.name, { private: args.private ?? false }).id,
  ),
  openDirect: action(
    z.object({ who: z.array(z.string()) }),
    (person: Person, args) => person.openDirect(...args.who).id,
  ),
  rename: action(inChannel.extend({ name: z.string() }), (person: Person, args) =>
    person.rename(args.channel, args.name),
  ),
  archive: action(inChannel, (person: Person, args) => person.archive(args.channel)),
  unarchive: action(inChannel, (person: Person, args) => person.unarchive(args.channel)),
  convert: action(inChannel.extend({ to: z.enum(["private", "public"]) }), (person: Person, args) =>
    person.convert(args.channel, args.to),
  ),
  deleteChannel: action(inChannel, (person: Person, args) => person.deleteChannel(args.channel)),
  setTopic: action(inChannel.extend({ topic: z.string() }), (person: Person, args) =>
    person.setTopic(args.channel, args.topic),
  ),
  setPurpose: action(inChannel.extend({ purpose: z.string() }), (person: Person, args) =>
    person.setPurpose(args.channel, args.purpose),
  ),
  changeProfile: action(
    z.object({
      realName: z.string().optional(),
      displayName: z.string().optional(),
      title: z.string().optional(),
      statusText: z.string().optional(),
      statusEmoji: z.string().optional(),
      image: z.string().optional(),
    }),
    (person: Person, args) => person.changeProfile(defined(args)),
  ),
  deactivate: action(z.object({}), (person: Person) => person.deactivate()),
  reactivate: action(z.object({}), (person: Person) => person.reactivate()),
  command: action(inChannel.extend({ line: z.string() }), (person: Person, args) =>
    person.command(args.channel, args.line),
  ),
  sees: action(inChannel, (person: Person, args) =>
    person.sees(args.channel).map(({ raw, ...seen }) => ({ ...seen, raw })),
  ),
  ephemerals: action(inChannel, (person: Person, args) => person.ephemerals(args.channel)),
};

/** What can happen to a workspace, by name. */
export const workspaceActions: Readonly<Record<string, Action<Workspace>>> = {
  addPerson: action(
    name.extend({ realName: z.string().optional() }),
    (workspace: Workspace, args) => workspace.addPerson(defined(args)).id,
  ),
  addChannel: action(
    name.extend({ private: z.boolean().optional(), members: z.array(z.string()).optional() }),
    (workspace: Workspace, { name: channelName, ...options }) => workspace.addChannel(channelName, defined(options)).id,
  ),
  addEmoji: action(name.extend({ value: z.string() }), (workspace: Workspace, args) =>
    workspace.addEmoji(args.name, args.value),
  ),
  removeEmoji: action(name, (workspace: Workspace, args) => workspace.removeEmoji(args.name)),
  saveUserGroup: action(
    z.object({ handle: z.string(), users: z.array(z.string()), name: z.string().optional() }),
    (workspace: Workspace, args) => workspace.saveUserGroup(args.handle, args.users, args.name),
  ),
  rename: action(name, (workspace: Workspace, args) => workspace.rename(args.name)),
  changeDomain: action(z.object({ domain: z.string() }), (workspace: Workspace, args) =>
    workspace.changeDomain(args.domain),
  ),
  setUnfurl: action(
    z.object({ url: z.string(), attachment: z.record(z.string(), z.json()) }),
    (workspace: Workspace, args) => workspace.setUnfurl(args.url, args.attachment),
  ),
  unfurl: action(message.extend({ attachments: z.array(z.json()) }), (workspace: Workspace, args) =>
    workspace.unfurl(args, args.attachments),
  ),
  share: action(z.object({ channel, domain: z.string() }), (workspace: Workspace, args) =>
    workspace.share(args.channel, args.domain),
  ),
  unshare: action(z.object({ channel, domain: z.string() }), (workspace: Workspace, args) =>
    workspace.unshare(args.channel, args.domain),
  ),
  changeChannelId: action(inChannel, (workspace: Workspace, args) => workspace.changeChannelId(args.channel)),
};

const inWorkspace = z.object({ workspace: z.string() });
const token = z.object({ token: z.string() });

/** What can happen to an app, by name. */
export const appActions: Readonly<Record<string, Action<AppHandle>>> = {
  install: action(
    inWorkspace.extend({
      channels: z.array(z.string()).optional(),
      users: z.array(z.string()).optional(),
      by: z.string().optional(),
    }),
    (app: AppHandle, args) => app.install(defined(args)),
  ),
  authorize: action(inWorkspace.extend({ person: z.string() }), (app: AppHandle, args) =>
    app.authorize(args.workspace, args.person),
  ),
  uninstall: action(inWorkspace, (app: AppHandle, args) => app.uninstall(args.workspace)),
  revoke: action(token, (app: AppHandle, args) => app.revoke(args.token)),
  restore: action(token, (app: AppHandle, args) => app.restore(args.token)),
  removeScopes: action(token.extend({ scopes: z.array(z.string()) }), (app: AppHandle, args) =>
    app.removeScopes(args.token, ...args.scopes),
  ),
  decide: action(inWorkspace.extend({ person: z.string(), denied: z.boolean().optional() }), (app: AppHandle, args) =>
    app.decide(defined(args)),
  ),
  createWebhook: action(inWorkspace.extend({ channel }), (app: AppHandle, args) =>
    app.createWebhook(args.workspace, args.channel),
  ),
  joinChannel: action(inWorkspace.extend({ channel }), (app: AppHandle, args) =>
    app.joinChannel(args.workspace, args.channel),
  ),
  setRequestUrl: action(z.object({ url: z.string().optional() }), (app: AppHandle, args) =>
    app.setRequestUrl(args.url),
  ),
  verifyRequestUrl: action(z.object({}), (app: AppHandle) => app.verifyRequestUrl()),
  tellRateLimited: action(inWorkspace, (app: AppHandle, args) => app.tellRateLimited(args.workspace)),
  askToLeave: action(
    z.object({
      reason: z.enum(["warning", "refresh_requested", "link_disabled", "too_many_websockets"]).optional(),
      which: z.enum(["oldest", "all"]).optional(),
    }),
    (app: AppHandle, args) => app.askToLeave(args.reason, args.which),
  ),
  cutConnections: action(z.object({}), (app: AppHandle) => app.cutConnections()),
  sendFrame: action(z.object({ frame: z.json() }), (app: AppHandle, args) => app.sendFrame(args.frame)),
};

/** An app as another process needs to know it. */
export function appView(app: AppHandle, workspaces: readonly Workspace[]): JsonObject {
  const tokens: JsonObject = {};
  for (const workspace of workspaces) {
    const found = app.botTokens().find((each) => each.workspaceId === workspace.id);
    if (found !== undefined) tokens[workspace.domain] = { token: found.token, userId: found.userId };
  }
  return {
    id: app.id,
    name: app.name,
    clientId: app.clientId,
    clientSecret: app.clientSecret,
    signingSecret: app.signingSecret,
    appToken: app.appToken,
    botTokens: tokens,
    connections: app.connections,
  };
}
