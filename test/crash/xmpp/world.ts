import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { xml } from "@xmpp/component";
import { z } from "zod";
import type { XmppServer, XmppServerOptions } from "../../support/servers/xmpp-server.js";
import { freePort } from "../../tools/free-port.js";
import { inRepository } from "../../tools/paths.js";
import type { Random } from "../../tools/random.js";
import { TcpLine } from "../../tools/tcp-line.js";
import { waitWhileBusy } from "../../tools/progress.js";
import { waitFor } from "../../tools/wait.js";
import { BridgeProcess } from "../bridge-process.js";
import { puppetRegistration, serverName, writeConfig, writeRegistration } from "../config-files.js";
import { MatrixServer, Timeline, type MatrixPerson } from "../matrix-client.js";
import { ServerProcess } from "../server-process.js";
import { AccountPeople, localpart, signIn } from "./account-people.js";
import { Book } from "./book.js";
import type { Conversation } from "./conversation.js";
import { XmppPeople } from "./people.js";
import { RoomArchive, type PlaceArchive } from "./room-archive.js";
import { together, type Speakers } from "./speakers.js";
import { botNick, networkFor, usersFor, type Way } from "./way.js";

/** Where the people on XMPP are. */
const peopleDomain = "people.localhost";

const placeCount = 4;
const nicks = ["anna", "ben", "cora"];
const matrixPeople = 3;

/** A Matrix room, and an XMPP room or a person on XMPP, that are one conversation. */
export interface Place {
  readonly number: number;
  readonly book: Book;
  readonly room: string;
  readonly timeline: Timeline;
  /** The address on XMPP. */
  readonly channel: string;
  readonly archive: PlaceArchive;
  readonly matrixPeople: readonly MatrixPerson[];
  readonly speakers: Speakers;
  /** What people on XMPP are called on Matrix, where that is not their nick. */
  readonly shownAs: ReadonlyMap<string, string>;
  /** The nick that says for everybody what is said on Matrix, where there is one. */
  readonly spokesman: string | undefined;
}

/** The XMPP server, the homeserver and the bridge, each in a process of its own, and the people on both sides. */
export class XmppWorld {
  readonly complaints: string[] = [];
  /** What was said to people with accounts when these had just been signed in. */
  readonly #greetings: Greeting[] = [];
  readonly bridge: BridgeProcess;

  private constructor(
    readonly directory: string,
    readonly homeserver: ServerProcess,
    readonly xmpp: XmppServer,
    /** Of the component, and of clients, as far as the bridge uses them. */
    private readonly lines: readonly TcpLine[],
    readonly matrix: MatrixServer,
    readonly people: XmppPeople,
    private readonly accounts: AccountPeople | undefined,
    readonly places: Place[],
    private readonly bot: string,
    config: string,
    private readonly operationsPort: number,
  ) {
    this.bridge = new BridgeProcess({ config, log: join(directory, "bridge.log"), env: {} });
  }

  /** Stops the server at the end. */
  static async open(
    directory: string,
    start: (options: XmppServerOptions) => Promise<XmppServer>,
    seed: number,
    way: Way,
  ): Promise<XmppWorld> {
    const withAccounts = way === "accounts";
    const xmpp = await start({ components: [peopleDomain], users: usersFor(way) });
    const listen = await freePort();
    const registration = writeRegistration(directory, listen, "xmpp");
    const registrations = [registration.content, ...(withAccounts ? [puppetRegistration] : [])];
    const homeserver = await ServerProcess.start(
      inRepository("packages/testkit/dist/homeserver/main.js"),
      [JSON.stringify({ serverName, seed, registrations })],
      join(directory, "homeserver.log"),
    );
    const line = way === "relay" ? undefined : await TcpLine.to(xmpp.componentPort);
    const clientLine = way === "component" ? undefined : await TcpLine.to(xmpp.clientPort);
    const matrix = new MatrixServer(`http://127.0.0.1:${homeserver.port}`);
    const persons: MatrixPerson[] = [];
    for (let person = 0; person < matrixPeople; person++) persons.push(await matrix.register(`person${person}`));
    const rooms = Array.from({ length: placeCount }, (_, number) => `place${number}@${xmpp.rooms}`);
    const tell = (text: string): void => note(directory, text);
    // ejabberd 23.01 has no ids of occupants: who uses a client beside the bridge is known only where all are.
    const isOpen = withAccounts && xmpp.name === "ejabberd";
    const people = new XmppPeople(xmpp, peopleDomain, rooms, nicks, tell, isOpen);
    const accounts = withAccounts ? new AccountPeople({ server: xmpp, rooms, people: persons, note: tell }) : undefined;
    const places = await openRooms(rooms, persons, registration.bot, people, accounts, way);
    const ports = { homeserver: homeserver.port, listen, operations: await freePort() };
    const network = networkFor(way, xmpp, { component: line?.port, client: clientLine?.port });
    const config = writeConfig(
      directory,
      ports,
      {
        name: "xmpp",
        connector: "xmpp",
        registration: registration.path,
        links: places.map(({ room, channel }) => ({ room, channel })),
        network,
      },
      withAccounts,
    );
    const lines = [line, clientLine].flatMap((each) => each ?? []);
    const { bot } = registration;
    const { operations } = ports;
    return new XmppWorld(directory, homeserver, xmpp, lines, matrix, people, accounts, places, bot, config, operations);
  }

  /** Writes a line to the log of the run. */
  note(text: string): void {
    note(this.directory, text);
  }

  /** Something went wrong that is not about a message. */
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

  /** Resolves when the bridge is in every room. */
  async whenBridged(timeoutMs: number): Promise<void> {
    await waitFor("the bridge to enter every room", timeoutMs, () =>
      this.places.every(({ channel }) => this.people.occupants(channel).has(botNick)),
    );
    await this.whenUp(timeoutMs);
  }

  /** Resolves when those on Matrix who have an account are signed in with it, and talk with somebody on XMPP. */
  async whenSignedIn(timeoutMs: number): Promise<void> {
    const { accounts, bot, places } = this;
    if (!accounts) return;
    const channel = accounts.contact.jid;
    const ghost = `@xmpp_${channel.replace("@", "=40")}:${serverName}`;
    for (const { person, client, nick, conversation } of accounts.owners) {
      await signIn(person, bot, client.jid, client.user);
      const room = await person.createDirect(ghost);
      const timeline = new Timeline(person, room);
      await waitFor("the room of two", timeoutMs, async () => {
        await timeline.read();
        return timeline.events.some(({ sender, content }) => sender === ghost && content["membership"] === "join");
      });
      const number = places.length;
      places.push({
        ...{ number, book: new Book(number, new Map([[nick, person.userId]])), room, timeline, channel },
        ...{ archive: conversation, matrixPeople: [person], speakers: conversation },
        ...{ shownAs: new Map([[nick, localpart(person)]]), spokesman: undefined },
      });
      await this.#greet(person, conversation, timeline, timeoutMs);
    }
  }

  /** Somebody says something everywhere: then the bridge is in all places with their account. */
  async #greet(person: MatrixPerson, talk: Conversation, timeline: Timeline, timeoutMs: number): Promise<void> {
    const fromMatrix = "hello from Matrix";
    const said: Greeting[] = [];
    const content = { msgtype: "m.text", body: fromMatrix, "m.mentions": {} };
    const rooms = this.places.filter(({ matrixPeople }) => matrixPeople.includes(person));
    for (const { number, room } of rooms) await person.send(room, `hello-${number}`, content);
    let next = 0;
    await waitFor(`${person.userId} everywhere`, timeoutMs, async () => {
      await timeline.read();
      // Again until it is there: what is waited for here is the account. Whether it missed any is looked at in the end.
      if (performance.now() > next) {
        next = performance.now() + 1_000;
        const body = `hello from XMPP ${said.length + 1}`;
        const id = talk.say("", talk.nicks[0] ?? "", xml("body", {}, body));
        if (id !== undefined) said.push({ body, id, talk, timeline });
      }
      const isHeard = said.some((greeting) => isIn(greeting));
      const isEverywhere = rooms.every(
        ({ speakers, channel }) => speakers === talk || this.people.occupants(channel).has(localpart(person)),
      );
      return isHeard && isEverywhere && talk.shownIn().some(({ body }) => body === fromMatrix);
    });
    this.#greetings.push(...said);
  }

  /** Greetings that did not arrive, though the XMPP server has taken them: what it has not, nobody could carry. */
  lostGreetings(): readonly string[] {
    return this.#greetings.flatMap((greeting) => {
      const { body, id, talk } = greeting;
      if (isIn(greeting)) return [];
      if (talk.messages.some(({ ownId }) => ownId === id)) return [`lost: ${body}`];
      this.note(`neither on Matrix nor in the archive: ${body} (${id})`);
      return [];
    });
  }

  /** Who should be in a room with an account of their own, and is in it without. */
  strays(): readonly string[] {
    const owners = this.accounts?.owners ?? [];
    return owners.flatMap(({ person, client }) =>
      this.places.flatMap(({ channel }) => {
        const jid = this.people.occupants(channel).get(localpart(person));
        return jid === undefined || jid === "" || jid.startsWith(`${client.jid}/`)
          ? []
          : [`${localpart(person)} is in ${channel} as ${jid}`];
      }),
    );
  }

  /** Cuts one of the bridge's lines, or all. */
  cut(random: Random): void {
    const [line, another] = this.lines;
    const which = another ? random.between(1, 3) : 1;
    if (which !== 2) line?.cut();
    if (which !== 1) another?.cut();
  }

  /** Resolves when everybody on XMPP is where they should be. */
  async startPeople(): Promise<void> {
    await this.people.start();
    await this.accounts?.start();
  }

  /** Resolves when the people on XMPP are in every room. */
  async whenPeopleAreIn(timeoutMs: number): Promise<void> {
    await waitFor(
      "the people on XMPP in their rooms",
      timeoutMs,
      () => this.people.areIn() && this.accounts?.areIn() !== false,
    ).catch((error: unknown) => this.complain(String(error)));
  }

  /** Reads what is new on both sides; resolves to how much that was. */
  async read(): Promise<number> {
    let fresh = 0;
    for (const { timeline, archive } of this.places) fresh += (await timeline.read()) + (await archive.read());
    return fresh;
  }

  /** Where requests and answers did not follow the specification. */
  async deviations(): Promise<readonly unknown[]> {
    return z.array(z.unknown()).parse(await this.homeserver.control("POST", "deviations"));
  }

  async close(): Promise<void> {
    await this.bridge.kill();
    await this.people.close();
    await this.accounts?.close();
    for (const line of this.lines) await line.close();
    await this.matrix.close();
    await this.homeserver.stop();
    writeFileSync(join(this.directory, "xmpp-server.log"), this.xmpp.process.output);
    await this.xmpp.process.stop();
  }
}

/** Makes a room on Matrix for each on XMPP, with everybody in it. */
async function openRooms(
  channels: readonly string[],
  persons: readonly MatrixPerson[],
  bot: string,
  people: XmppPeople,
  accounts: AccountPeople | undefined,
  way: Way,
): Promise<Place[]> {
  const [reader, ...others] = persons;
  if (!reader) throw new Error("There is nobody on Matrix");
  const owners = accounts?.owners ?? [];
  const humans = new Map(owners.map(({ nick, person }) => [nick, person.userId]));
  const shownAs = new Map(owners.map(({ nick, person }) => [nick, localpart(person)]));
  const places: Place[] = [];
  for (const [number, channel] of channels.entries()) {
    const room = await reader.createRoom(`place${number}`, bot);
    for (const person of others) await person.join(room);
    places.push({
      ...{ number, book: new Book(number, humans), room, timeline: new Timeline(reader, room), channel },
      ...{ archive: new RoomArchive(people, channel), matrixPeople: persons, shownAs },
      spokesman: way === "relay" ? botNick : undefined,
      speakers: accounts ? together(people, accounts.inRooms) : people,
    });
  }
  return places;
}

interface Greeting {
  readonly body: string;
  /** Of the stanza. */
  readonly id: string;
  readonly talk: Conversation;
  readonly timeline: Timeline;
}

function isIn({ body, timeline }: Greeting): boolean {
  return timeline.events.some((event) => event.content["body"] === body);
}

function note(directory: string, text: string): void {
  appendFileSync(join(directory, "run.log"), `${new Date().toISOString()} ${text}\n`);
}
