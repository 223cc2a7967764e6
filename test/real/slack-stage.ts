import { SlackEmulator, type ChannelHandle } from "@trestle/slack-emulator";
import { freePort, patiently, until } from "../support/bounded.js";
import type { Person } from "../support/person.js";
import type { SynapseInstall } from "../support/servers/synapse-install.js";
import { BridgedSynapse, joined, SERVER_NAME } from "./bridged-synapse.js";

export type Transport = "socket" | "http";

export const SLACK_BOT = `@slackbot:${SERVER_NAME}`;
const WORKSPACE = "acme";
/** When Slack tries once more to hand over an event, in milliseconds after the first two tries. */
const LATE_TRIES = [60_000, 300_000];

/** A real homeserver and an emulated Slack, that keeps Slack's limits, with the bridge between them. */
export class SlackStage {
  private constructor(
    readonly matrix: BridgedSynapse,
    readonly slack: SlackEmulator,
    readonly transport: Transport,
  ) {}

  /** Resolves when the bridge says that it is ready. */
  static async build(install: SynapseInstall, transport: Transport): Promise<SlackStage> {
    const slack = await SlackEmulator.start({
      rateLimits: "slack",
      workspaces: [
        {
          domain: WORKSPACE,
          name: "Acme",
          users: [{ name: "alice", realName: "Alice Liddell", admin: true }, { name: "bob" }, { name: "carol" }],
          channels: [{ name: "general", general: true }],
        },
      ],
      apps: [{ name: "Trestle", commands: ["/matrix"], installations: [{ workspace: WORKSPACE, channels: [] }] }],
    });
    try {
      const matrix = await BridgedSynapse.build(install, {
        connector: "slack",
        doublePuppets: true,
        network: await networkOf(slack, transport),
        settings: { encryptionKey: "a key for the tests that is long enough" },
      });
      return new SlackStage(matrix, slack, transport);
    } catch (error) {
      await slack.stop();
      throw error;
    }
  }

  get workspace() {
    return this.slack.workspace(WORKSPACE);
  }

  slackPerson(name: string) {
    return this.workspace.person(name);
  }

  /** Makes a channel with everybody in it and a room, and links them as a person does; resolves when the bot is in both. */
  async linked(
    person: Person,
    name: string,
    others: readonly Person[] = [],
  ): Promise<{ readonly room: string; readonly channel: ChannelHandle }> {
    const channel = this.workspace.addChannel(name);
    const wanted = { name, bot: SLACK_BOT, botPower: 0, command: `!slack link #${name}` };
    const room = await this.matrix.linkedRoom(person, wanted);
    for (const other of others) {
      await person.invite(room, other.userId);
      await other.join(room);
    }
    const bot = this.slack.app().botUserId();
    await channel.waitUntil(({ members }) => members.includes(bot), { timeout: patiently(30_000) });
    return { room, channel };
  }

  /** Signs somebody in as somebody of the workspace, in a room with the bot: by a token, or by Slack's page where the bridge has an address. */
  async signIn(person: Person, name: string): Promise<string> {
    const room = await person.createRoom({ invite: [SLACK_BOT], direct: true, preset: "trusted_private_chat" });
    await joined(person, room, SLACK_BOT);
    await person.sendText(room, "login");
    const says = (what: string, pattern: RegExp) =>
      person.waitForMessage(room, what, ({ sender, body }) => sender === SLACK_BOT && pattern.test(body));
    if (this.transport === "socket") {
      await says("the question for a token", /user token/);
      await person.sendText(room, this.slack.app().authorize(WORKSPACE, name));
    } else {
      this.slack.app().decide({ workspace: WORKSPACE, person: name });
      const invitation = await says("the link to Slack's page", /https?:\/\//);
      await allow(/https?:\S+/.exec(String(invitation.content["body"]))?.[0] ?? "");
    }
    await says("that it worked", /^Signed in as /);
    return room;
  }

  /** Slack tries everything again that it could not hand over, until it has nothing more. */
  async tryLate(): Promise<void> {
    for (const ms of LATE_TRIES) {
      this.slack.clock.advance(ms);
      await until(30_000, "an attempt at every event", () =>
        this.slack
          .app()
          .deliveries()
          .every(({ attempts }) => attempts.at(-1)?.result !== "pending")
          ? true
          : undefined,
      );
    }
    await until(30_000, "the end of all deliveries", () => (this.slack.undelivered === 0 ? true : undefined));
  }

  async close(): Promise<void> {
    await this.matrix.keepLogs(`slack-${this.transport}`);
    await this.matrix.close();
    // Not before the bridge has ended, which would look for it.
    await this.slack.stop();
  }
}

async function networkOf(slack: SlackEmulator, transport: Transport): Promise<Readonly<Record<string, unknown>>> {
  const app = slack.app();
  const both = { apiUrl: slack.apiUrl, workspaces: [{ botToken: app.botToken() }] };
  if (transport === "socket") return { ...both, mode: "socket", appToken: app.appToken };
  const port = await freePort();
  app.setRequestUrl(`http://127.0.0.1:${port}/slack/events`);
  const oauth = {
    clientId: app.clientId,
    clientSecret: app.clientSecret,
    redirectUrl: `http://127.0.0.1:${port}/slack/oauth_redirect`,
  };
  return { ...both, mode: "http", signingSecret: app.signingSecret, http: { port }, oauth };
}

/** What a person does in a browser: opens Slack's page, where they allow it, and confirms on the bridge's who they are. */
async function allow(url: string): Promise<void> {
  const page = await fetch(url);
  const html = await page.text();
  const fields = [...html.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name = "", value = ""]) => [name, value]);
  const action = new URL(/action="([^"]+)"/.exec(html)?.[1] ?? "", page.url);
  const answer = await fetch(action, { method: "POST", body: new URLSearchParams(fields as [string, string][]) });
  if (!answer.ok) throw new Error(`The bridge answered ${answer.status} to the confirmation:\n${await answer.text()}`);
}
