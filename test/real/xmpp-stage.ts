import { WireSpy } from "../../bridges/xmpp/test/support/wire-spy.js";
import type { Person } from "../support/person.js";
import type { Installs } from "../support/servers/index.js";
import type { XmppServer, XmppServerOptions } from "../support/servers/xmpp-server.js";
import { XmppPerson } from "../support/xmpp-person.js";
import { freePort, until } from "../support/bounded.js";
import { BridgedSynapse, joined, SERVER_NAME } from "./bridged-synapse.js";

export const XMPP_BOT = `@xmppbot:${SERVER_NAME}`;

/** A real homeserver and a real XMPP server with the bridge between them, and somebody on XMPP with a client nobody here wrote. */
export class XmppStage {
  private constructor(
    readonly matrix: BridgedSynapse,
    readonly xmpp: XmppServer,
    /** Between the bridge and the XMPP server. */
    readonly wire: WireSpy,
    readonly alice: XmppPerson,
  ) {}

  /** Resolves when the bridge says that it is ready. */
  static async build(
    installs: Installs<"synapse" | "slixmpp">,
    start: (options: XmppServerOptions) => Promise<XmppServer>,
  ): Promise<XmppStage> {
    const ends: (() => Promise<unknown>)[] = [];
    try {
      const xmpp = await start({ users: ["alice", "gus", "pia"] });
      ends.push(() => xmpp.process.stop());
      const wire = await WireSpy.before(xmpp.componentPort);
      ends.push(() => wire.stop());
      const alice = await XmppPerson.connect(installs.slixmpp, xmpp, "alice");
      ends.push(() => alice.end());
      const media = await freePort();
      const matrix = await BridgedSynapse.build(installs.synapse, {
        connector: "xmpp",
        network: {
          port: wire.port,
          domain: xmpp.component,
          secret: xmpp.secret,
          reconnect: { min: 0.1, max: 1 },
          gateway: { enabled: true },
        },
        // The XMPP server's files are on this machine.
        settings: {
          media: { port: media, publicUrl: `http://127.0.0.1:${media}`, allowPrivate: ["127.0.0.1"] },
        },
      });
      return new XmppStage(matrix, xmpp, wire, alice);
    } catch (error) {
      await Promise.allSettled(ends.reverse().map((end) => end()));
      throw error;
    }
  }

  /** A room that alice has made and owns, linked to a room on Matrix as a person does it. */
  async linked(person: Person, name: string): Promise<{ readonly room: string; readonly muc: string }> {
    const muc = `${name}@${this.xmpp.rooms}`;
    await this.alice.join(muc, "alice");
    const wanted = { name, bot: XMPP_BOT, botPower: 50, command: `!xmpp link ${muc}` };
    const room = await this.matrix.linkedRoom(person, wanted);
    await this.alice.sees(
      "the bridge in the room",
      ({ name: kind, from, type }) => kind === "presence" && from === `${muc}/Matrix` && type === null,
    );
    return { room, muc };
  }

  /** A public room on Matrix that a person has made and made one of XMPP; `muc` is its address there. */
  async throughGateway(
    person: Person,
    name: string,
    powers: Readonly<Record<string, number>> = {},
  ): Promise<{ readonly room: string; readonly muc: string }> {
    const powerLevels = { users: { [person.userId]: 100, [XMPP_BOT]: 100, ...powers } };
    const room = await person.createRoom({
      name,
      alias: name,
      preset: "public_chat",
      invite: [XMPP_BOT],
      powerLevels,
    });
    await joined(person, room, XMPP_BOT);
    await person.sendText(room, "!xmpp link gateway");
    await person.waitForMessage(room, "the answer", ({ sender, body }) => sender === XMPP_BOT && /linked/.test(body));
    return { room, muc: `#${name}#${SERVER_NAME}@${this.xmpp.component}` };
  }

  /** The address of a Matrix user on XMPP. */
  addressOf({ userId }: Person): string {
    return `${userId.slice(1).replace(":", "_")}@${this.xmpp.component}`;
  }

  /** The Matrix user of somebody on XMPP. */
  ghostOf(user: string): string {
    return `@xmpp_${user}=40${this.xmpp.domain}:${SERVER_NAME}`;
  }

  /** The direct room with the ghost of somebody to which a person is invited; they enter it. */
  async directRoom(person: Person, user: string): Promise<string> {
    const ghost = this.ghostOf(user);
    const room = await until(30_000, `the invitation of ${ghost}`, () =>
      person.client
        .getRooms()
        .find(
          (each) =>
            each.getMyMembership() === "invite" &&
            each.getMember(person.userId)?.events.member?.getSender() === XMPP_BOT,
        ),
    );
    await person.join(room.roomId);
    await joined(person, room.roomId, ghost);
    return room.roomId;
  }

  /** Makes the bridge an admin of a room, which is a moderator while it is there. */
  async promote(muc: string): Promise<void> {
    const item = `<item jid="bridge@${this.xmpp.component}" affiliation="admin"/>`;
    await this.alice.query(muc, "set", `<query xmlns="http://jabber.org/protocol/muc#admin">${item}</query>`);
  }

  async close(): Promise<void> {
    await this.matrix.keepLogs(this.xmpp.name.toLowerCase(), {
      [this.xmpp.name.toLowerCase()]: this.xmpp.process.output,
    });
    await this.matrix.close(this.alice.end());
    // Not before the bridge has ended, which would look for them.
    await this.wire.stop();
    await this.xmpp.process.stop();
  }
}
