import { appendFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { SlackEmulator, type AppHandle, type ChannelHandle, type Person } from "@trestle/slack-emulator";
import { z } from "zod";
import { freePort } from "../../tools/free-port.js";
import { inRepository } from "../../tools/paths.js";
import { waitWhileBusy } from "../../tools/progress.js";
import { BridgeProcess } from "../bridge-process.js";
import { serverName, writeConfig, writeRegistration } from "../config-files.js";
import { MatrixServer, Timeline, type MatrixPerson } from "../matrix-client.js";
import { ServerProcess } from "../server-process.js";
import { Book } from "./book.js";
import { lookAtChannel, lookAtRoom } from "./sight.js";
import type { PlaceSight } from "./account.js";

export type Transport = "socket" | "http";

const workspace = "acme";
const placeCount = 4;
const handles = ["anna", "ben", "cora"];
const matrixPeople = 3;

/** A room and a channel that are one conversation. */
export interface Place {
  readonly book: Book;
  readonly room: string;
  readonly channel: ChannelHandle;
  readonly timeline: Timeline;
}

/** Slack and its people in this process, the homeserver and the bridge each in one of its own: only the bridge dies. */
export class SlackWorld {
  readonly complaints: string[] = [];

  private constructor(
    readonly directory: string,
    readonly homeserver: ServerProcess,
    readonly slack: SlackEmulator,
    readonly bridge: BridgeProcess,
    readonly matrix: MatrixServer,
    readonly people: readonly MatrixPerson[],
    readonly places: readonly Place[],
    private readonly operationsPort: number,
  ) {}

  static async open(directory: string, transport: Transport, seed: number): Promise<SlackWorld> {
    const listen = await freePort();
    const registration = writeRegistration(directory, listen, "slack");
    const homeserver = await ServerProcess.start(
      inRepository("packages/testkit/dist/homeserver/main.js"),
      [JSON.stringify({ serverName, seed, registrations: [registration.content] })],
      join(directory, "homeserver.log"),
    );
    const slack = await startSlack();
    const requests = transport === "http" ? await freePort() : undefined;
    if (requests !== undefined) slack.app().setRequestUrl(`http://127.0.0.1:${requests}/slack/events`);
    const matrix = new MatrixServer(`http://127.0.0.1:${homeserver.port}`);
    const people: MatrixPerson[] = [];
    for (let person = 0; person < matrixPeople; person++) people.push(await matrix.register(`person${person}`));
    const [reader, ...others] = people;
    if (!reader) throw new Error("There is nobody on Matrix");
    const places: Place[] = [];
    for (let number = 0; number < placeCount; number++) {
      const channel = slack.workspace(workspace).channel(nameOf(number));
      const room = await reader.createRoom(nameOf(number), registration.bot);
      for (const person of others) await person.join(room);
      places.push({ book: new Book(number), room, channel, timeline: new Timeline(reader, room) });
    }
    const ports = { homeserver: homeserver.port, listen, operations: await freePort() };
    const team = slack.workspace(workspace).id;
    const bridge = new BridgeProcess({
      config: writeConfig(directory, ports, {
        name: "slack",
        connector: fileURLToPath(new URL("connector.js", import.meta.url)),
        registration: registration.path,
        links: places.map(({ room, channel }) => ({ room, channel: `${team}/${channel.id}` })),
        network: networkOf(slack, requests),
      }),
      log: join(directory, "bridge.log"),
      env: {},
    });
    return new SlackWorld(directory, homeserver, slack, bridge, matrix, people, places, ports.operations);
  }

  get app(): AppHandle {
    return this.slack.app();
  }

  get slackPeople(): readonly Person[] {
    return handles.map((handle) => this.slack.workspace(workspace).person(handle));
  }

  /** Writes a line to the log of the run. */
  note(text: string): void {
    appendFileSync(join(this.directory, "run.log"), `${new Date().toISOString()} ${text}\n`);
  }

  complain(text: string): void {
    this.note(text);
    this.complaints.push(text);
  }

  /** Resolves when the bridge answers on its operations port, or does nothing for `idleMs` without being there. */
  async whenUp(idleMs: number): Promise<void> {
    const live = async (): Promise<boolean> =>
      (await fetch(`http://127.0.0.1:${this.operationsPort}/live`).catch(() => undefined))?.ok === true;
    await waitWhileBusy("the bridge to be up", () => this.bridge.pid, live, { idleMs, everyMs: 20 }).catch(
      (error: unknown) => this.note(String(error)),
    );
  }

  /** Resolves when the bot is in every channel. */
  async whenBridged(idleMs: number): Promise<void> {
    const bot = this.app.botUserId();
    const entered = (): boolean => this.places.every(({ channel }) => channel.members.includes(bot));
    await waitWhileBusy("the bridge to enter every channel", () => this.bridge.pid, entered, { idleMs });
    await this.whenUp(idleMs);
  }

  /** Reads what is new in the rooms; resolves to how much that was. */
  async read(): Promise<number> {
    let fresh = 0;
    for (const { timeline } of this.places) fresh += await timeline.read();
    return fresh;
  }

  /** What both sides show, as far as the rooms have been read. */
  look(): readonly PlaceSight[] {
    const people = new Set(this.people.map(({ userId }) => userId));
    const bot = this.app.botUserId();
    return this.places.map(({ book, timeline, channel }) => ({
      book,
      matrix: lookAtRoom(timeline, people),
      slack: lookAtChannel(channel, bot),
    }));
  }

  /** Where requests and answers did not follow the specification. */
  async deviations(): Promise<readonly unknown[]> {
    return z.array(z.unknown()).parse(await this.homeserver.control("POST", "deviations"));
  }

  async close(): Promise<void> {
    await this.bridge.kill();
    await this.matrix.close();
    await this.homeserver.stop();
    await this.slack.stop();
  }
}

function nameOf(place: number): string {
  return `place${place}`;
}

async function startSlack(): Promise<SlackEmulator> {
  const channels = Array.from({ length: placeCount }, (_, number) => nameOf(number));
  return SlackEmulator.start({
    workspaces: [
      { domain: workspace, users: handles.map((name) => ({ name })), channels: channels.map((name) => ({ name })) },
    ],
    apps: [{ name: "Trestle", installations: [{ workspace, channels: [] }] }],
  });
}

function networkOf(slack: SlackEmulator, requests: number | undefined): Readonly<Record<string, unknown>> {
  const app = slack.app();
  return {
    apiUrl: slack.apiUrl,
    workspaces: [{ botToken: app.botToken() }],
    ...(requests === undefined
      ? { mode: "socket", appToken: app.appToken }
      : { mode: "http", signingSecret: app.signingSecret, http: { port: requests } }),
  };
}
