import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { XmppServer } from "../../support/servers/xmpp-server.js";
import { freePort } from "../../tools/free-port.js";
import { inRepository } from "../../tools/paths.js";
import { TcpLine } from "../../tools/tcp-line.js";
import { waitWhileBusy } from "../../tools/progress.js";
import { waitFor } from "../../tools/wait.js";
import { BridgeProcess } from "../bridge-process.js";
import { serverName, writeConfig, writeRegistration } from "../config-files.js";
import { MatrixServer, Timeline, type MatrixPerson } from "../matrix-client.js";
import { ServerProcess } from "../server-process.js";
import { Book } from "./book.js";
import { XmppPeople } from "./people.js";
import { RoomArchive } from "./room-archive.js";

/** Where the people on XMPP are. */
export const peopleDomain = "people.localhost";

const placeCount = 4;
const nicks = ["anna", "ben", "cora"];
const matrixPeople = 3;
/** What the bridge is called in rooms. */
const botNick = "Matrix";

/** A Matrix room and an XMPP room that are one conversation. */
export interface Place {
  readonly number: number;
  readonly book: Book;
  readonly room: string;
  readonly timeline: Timeline;
  readonly archive: RoomArchive;
}

/** The XMPP server, the homeserver and the bridge, each in a process of its own, and the people on both sides. */
export class XmppWorld {
  readonly complaints: string[] = [];
  readonly bridge: BridgeProcess;

  private constructor(
    readonly directory: string,
    readonly homeserver: ServerProcess,
    readonly xmpp: XmppServer,
    readonly line: TcpLine,
    readonly matrix: MatrixServer,
    readonly matrixPeople: readonly MatrixPerson[],
    readonly people: XmppPeople,
    readonly places: readonly Place[],
    config: string,
    private readonly operationsPort: number,
  ) {
    this.bridge = new BridgeProcess({ config, log: join(directory, "bridge.log"), env: {} });
  }

  /** Takes the server over, and stops it at the end. */
  static async open(directory: string, xmpp: XmppServer, seed: number): Promise<XmppWorld> {
    const listen = await freePort();
    const registration = writeRegistration(directory, listen, "xmpp");
    const homeserver = await ServerProcess.start(
      inRepository("packages/testkit/dist/homeserver/main.js"),
      [JSON.stringify({ serverName, seed, registrations: [registration.content] })],
      join(directory, "homeserver.log"),
    );
    const line = await TcpLine.to(xmpp.componentPort);
    const matrix = new MatrixServer(`http://127.0.0.1:${homeserver.port}`);
    const persons: MatrixPerson[] = [];
    for (let person = 0; person < matrixPeople; person++) persons.push(await matrix.register(`person${person}`));
    const [reader, ...others] = persons;
    if (!reader) throw new Error("There is nobody on Matrix");
    const rooms = Array.from({ length: placeCount }, (_, number) => `place${number}@${xmpp.rooms}`);
    const people = new XmppPeople(xmpp, peopleDomain, rooms, nicks, (text) => note(directory, text));
    const places: Place[] = [];
    for (const [number, channel] of rooms.entries()) {
      const room = await reader.createRoom(`place${number}`, registration.bot);
      for (const person of others) await person.join(room);
      places.push({
        number,
        book: new Book(number),
        room,
        timeline: new Timeline(reader, room),
        archive: new RoomArchive(people, channel),
      });
    }
    const ports = { homeserver: homeserver.port, listen, operations: await freePort() };
    const config = writeConfig(directory, ports, {
      name: "xmpp",
      connector: "xmpp",
      registration: registration.path,
      links: places.map(({ room, archive }) => ({ room, channel: archive.room })),
      network: {
        port: line.port,
        domain: xmpp.component,
        secret: xmpp.secret,
        nick: botNick,
        reconnect: { min: 0.05, max: 0.5 },
      },
    });
    const { operations } = ports;
    return new XmppWorld(directory, homeserver, xmpp, line, matrix, persons, people, places, config, operations);
  }

  get nicks(): ReadonlySet<string> {
    return new Set(nicks);
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
      this.places.every(({ archive }) => this.people.occupants(archive.room).has(botNick)),
    );
    await this.whenUp(timeoutMs);
  }

  /** Resolves when the people on XMPP are in every room. */
  async whenPeopleAreIn(timeoutMs: number): Promise<void> {
    await waitFor("the people on XMPP in their rooms", timeoutMs, () => this.people.areIn()).catch((error: unknown) =>
      this.complain(String(error)),
    );
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
    await this.line.close();
    await this.matrix.close();
    await this.homeserver.stop();
    writeFileSync(join(this.directory, "xmpp-server.log"), this.xmpp.process.output);
    await this.xmpp.process.stop();
  }
}

function note(directory: string, text: string): void {
  appendFileSync(join(directory, "run.log"), `${new Date().toISOString()} ${text}\n`);
}
