import type { Credentials, NetworkFake, NetworkSetting, SayOptions, Seen, SharedFile } from "@trestle/conformance";
import { SlackEmulator, type ApiCall } from "@trestle/slack-emulator";
import { z } from "zod";
import { decodeEntities } from "../../dist/content/index.js";
import { nameOfEmoji, reactionKeyOf } from "../../dist/emoji/index.js";

type Handle = ReturnType<SlackEmulator["faults"]["api"]>;
type Posted = ReturnType<ReturnType<ReturnType<SlackEmulator["workspace"]>["person"]>["post"]>;

/** Somebody with an account, who is on Matrix. */
const ACCOUNT = "ivy";
const channels = ["hall", "garden"] as const;
const argumentsSchema = z.looseObject({
  channel: z.string().optional(),
  ts: z.string().optional(),
  timestamp: z.string().optional(),
  thread_ts: z.string().optional(),
  name: z.string().optional(),
  topic: z.string().optional(),
  text: z.string().optional(),
  blocks: z.string().optional(),
});
const answerSchema = z.looseObject({ ok: z.boolean(), ts: z.string().optional() });

/** Slack for the conformance suite: the emulator, and people in it. */
export class SlackFake implements NetworkFake {
  readonly people = ["carol", "d.o-b_1", "émile"] as const;
  /** The bridge reads the histories when it is back. */
  readonly remembers = true;
  #slack: SlackEmulator | undefined;
  #outage: Handle | undefined;
  readonly #posted = new Map<string, Posted>();
  #credentials: Credentials | undefined;

  async start(): Promise<NetworkSetting> {
    this.#posted.clear();
    this.#outage = undefined;
    this.#slack = await SlackEmulator.start({
      remembered: 100_000,
      apps: [{ name: "Bridge", installations: [{ workspace: "acme" }] }],
      workspaces: [
        {
          domain: "acme",
          users: [ACCOUNT, ...this.people].map((name) => ({ name, displayName: name })),
          channels: channels.map((name) => ({ name })),
        },
      ],
    });
    const app = this.#slack.app();
    const token = app.authorize("acme", ACCOUNT);
    this.#credentials = { right: [token], wrong: ["xoxp-no-token-of-hers"], secret: token, account: ACCOUNT };
    const [hall, garden] = channels.map((name) => this.#idOf(name));
    return {
      config: {
        apiUrl: this.#slack.apiUrl,
        appToken: app.appToken,
        workspaces: [{ botToken: app.botToken() }],
        timeout: 2,
      },
      channels: [hall ?? "", garden ?? ""],
    };
  }

  async stop(): Promise<void> {
    await this.#slack?.stop();
  }

  /** The token that Slack gave out is another at each start. */
  get credentials(): Credentials {
    if (!this.#credentials) throw new Error("The fake network is not started.");
    return this.#credentials;
  }

  say(channel: string, person: string, text: string, options: SayOptions = {}): Promise<string> {
    const who = this.#person(person);
    const name = this.#nameOf(channel);
    const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
    // Plain text in Slack is text in blocks: as `text` alone it would be read as mrkdwn.
    const section = { type: "rich_text_section", elements: [{ type: "text", text }] };
    const blocks = text === "" ? [] : [{ type: "rich_text", elements: [section] }];
    const posted =
      options.emote === true
        ? who.me(name, escaped)
        : who.post(name, escaped, { blocks, ...(options.replyTo !== undefined && { threadTs: options.replyTo }) });
    this.#posted.set(posted.ts, posted);
    return Promise.resolve(posted.ts);
  }

  seen(channel: string): readonly Seen[] {
    const id = channel.split("/")[1];
    return this.#slackNow.calls().flatMap((call) => [...this.#filesIn(call, id), ...seenIn(call, id)]);
  }

  /** A message shows a file in an image block, or by a link to its page. */
  #filesIn(call: ApiCall, channel: string | undefined): Seen[] {
    const answer = answerSchema.safeParse(call.answer);
    const { data } = argumentsSchema.safeParse(call.args);
    if (call.method !== "chat.postMessage" || !answer.success || !answer.data.ok || data?.channel !== channel)
      return [];
    const ids = /\bF[A-Z0-9]{6,}\b/g.exec(data?.blocks ?? "") ?? [];
    return ids.flatMap((id): Seen[] => {
      const file = this.#slackNow.workspace("acme").file(id);
      const posted = answer.data.ts;
      return file ? [{ kind: "file", ...(posted !== undefined && { id: posted }), ...file }] : [];
    });
  }

  disconnect(): Promise<void> {
    this.#outage = this.#slackNow.faults.api({ kind: "drop_before" });
    this.#slackNow.app().cutConnections();
    return Promise.resolve();
  }

  reconnect(): Promise<void> {
    this.#outage?.lift();
    this.#outage = undefined;
    return Promise.resolve();
  }

  edit(_channel: string, person: string, id: string, text: string): Promise<void> {
    const section = { type: "rich_text_section", elements: [{ type: "text", text }] };
    this.#person(person).edit(this.#message(id), text, { blocks: [{ type: "rich_text", elements: [section] }] });
    return Promise.resolve();
  }

  remove(_channel: string, person: string, id: string): Promise<void> {
    this.#person(person).delete(this.#message(id));
    return Promise.resolve();
  }

  react(channel: string, person: string, id: string, key: string): Promise<void> {
    this.#person(person).react(this.#messageIn(channel, id), nameOfEmoji(key) ?? "question");
    return Promise.resolve();
  }

  unreact(channel: string, person: string, id: string, key: string): Promise<void> {
    this.#person(person).unreact(this.#messageIn(channel, id), nameOfEmoji(key) ?? "question");
    return Promise.resolve();
  }

  setTopic(channel: string, person: string, topic: string): Promise<void> {
    this.#person(person).setTopic(this.#nameOf(channel), topic);
    return Promise.resolve();
  }

  share(channel: string, person: string, { name, mimeType, content }: SharedFile): Promise<string> {
    const posted = this.#person(person).upload(this.#nameOf(channel), {
      name,
      content: Buffer.from(content),
      mimetype: mimeType,
    });
    this.#posted.set(posted.ts, posted);
    return Promise.resolve(posted.ts);
  }

  stall(channel: string): () => void {
    const hanging = this.#slackNow.faults.api({ kind: "hang_after", method: "chat.*", channel: channel.split("/")[1] });
    return () => hanging.lift();
  }

  refuse(channel: string): Promise<() => void> {
    const refusing = this.#slackNow.faults.api({
      kind: "error",
      error: "restricted_action",
      method: "chat.*",
      channel: channel.split("/")[1],
    });
    return Promise.resolve(() => refusing.lift());
  }

  connected(): boolean {
    return this.#outage === undefined && this.#slackNow.app().connections > 0;
  }

  violations(): readonly string[] {
    return this.#slackNow
      .calls()
      .filter(({ method }) => method === "chat.postMessage" || method === "chat.update")
      .flatMap(({ args }) => {
        const text = typeof args["text"] === "string" ? args["text"] : "";
        return /<[!@#]/.test(text) && !/<@[UW][A-Z0-9]+>/.test(text) ? [`a mention that nobody may make: ${text}`] : [];
      });
  }

  get #slackNow(): SlackEmulator {
    if (!this.#slack) throw new Error("The fake network is not started.");
    return this.#slack;
  }

  #person(name: string) {
    return this.#slackNow.workspace("acme").person(name);
  }

  #idOf(name: string): string {
    const workspace = this.#slackNow.workspace("acme");
    return `${workspace.id}/${workspace.channel(name).id}`;
  }

  #nameOf(channel: string): string {
    const name = channels.find((each) => this.#idOf(each) === channel);
    if (name === undefined) throw new Error(`There is no channel ${channel}.`);
    return name;
  }

  #message(id: string): Posted {
    const posted = this.#posted.get(id);
    if (!posted) throw new Error(`Nobody said ${id}.`);
    return posted;
  }

  #messageIn(channel: string, id: string): Posted {
    return this.#posted.get(id) ?? { ...this.#anyPosted(), channel: channel.split("/")[1] ?? "", ts: id };
  }

  #anyPosted(): Posted {
    const [any] = this.#posted.values();
    return any ?? { channel: "", ts: "" };
  }
}

/** What a call that took effect showed to people. */
function seenIn(call: ApiCall, channel: string | undefined): Seen[] {
  const answer = answerSchema.safeParse(call.answer);
  const { data } = argumentsSchema.safeParse(call.args);
  if (!answer.success || !answer.data.ok || !data || data.channel !== channel) return [];
  const target = data.ts ?? data.timestamp ?? "";
  switch (call.method) {
    case "chat.postMessage":
      return [
        {
          kind: "message",
          text: textOf(data),
          ...(answer.data.ts !== undefined && { id: answer.data.ts }),
          ...(call.tokenKind === "user" && { by: ACCOUNT }),
          ...(data.thread_ts !== undefined && { replyTo: data.thread_ts }),
        },
      ];
    case "chat.update":
      return [{ kind: "edit", target, text: textOf(data) }];
    case "chat.delete":
      return [{ kind: "removal", target }];
    case "reactions.add":
      return [{ kind: "reaction", target, key: reactionKeyOf(data.name ?? "") }];
    case "reactions.remove":
      return [{ kind: "reactionRemoved", target, key: reactionKeyOf(data.name ?? "") }];
    case "conversations.setTopic":
      return [{ kind: "topic", text: decodeEntities(data.topic ?? "") }];
    default:
      return [];
  }
}

/** The letters of the blocks, as people read them. */
function textOf({ blocks, text = "" }: z.output<typeof argumentsSchema>): string {
  if (blocks === undefined) return decodeEntities(text);
  const read = lettersOf(JSON.parse(blocks));
  return read === "" ? decodeEntities(text) : read;
}

function lettersOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(lettersOf).join("");
  if (typeof value !== "object" || value === null) return "";
  const element = z
    .looseObject({
      type: z.string().optional(),
      text: z.unknown().optional(),
      elements: z.unknown().optional(),
      url: z.string().optional(),
    })
    .parse(value);
  if (element.type === "emoji") return reactionKeyOf(String(element["name"]));
  if (typeof element.text === "string") return element.text;
  if (element.type === "link") return element.url ?? "";
  return lettersOf(element.elements ?? []);
}
