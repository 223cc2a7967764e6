import { WireSpy } from "../../bridges/xmpp/test/support/wire-spy.js";
import type { Person } from "../support/person.js";
import { startProsody, type ProsodyInstall } from "../support/servers/prosody.js";
import type { SlixmppInstall } from "../support/servers/slixmpp.js";
import type { SynapseInstall } from "../support/servers/synapse-install.js";
import type { XmppServer } from "../support/servers/xmpp-server.js";
import { XmppPerson } from "../support/xmpp-person.js";
import { BridgedSynapse, SERVER_NAME } from "./bridged-synapse.js";

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
  static async build(synapse: SynapseInstall, prosody: ProsodyInstall, slixmpp: SlixmppInstall): Promise<XmppStage> {
    const ends: (() => Promise<unknown>)[] = [];
    try {
      const xmpp = await startProsody(prosody, { users: ["alice"] });
      ends.push(() => xmpp.process.stop());
      const wire = await WireSpy.before(xmpp.componentPort);
      ends.push(() => wire.stop());
      const alice = await XmppPerson.connect(slixmpp, xmpp, "alice");
      ends.push(() => alice.end());
      const matrix = await BridgedSynapse.build(synapse, {
        connector: "xmpp",
        network: {
          port: wire.port,
          domain: xmpp.component,
          secret: xmpp.secret,
          reconnect: { min: 0.1, max: 1 },
        },
        // Prosody's files are on this machine.
        settings: { media: { port: 0, publicUrl: "http://media.trestle.test", allowPrivate: ["127.0.0.1"] } },
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

  /** Makes the bridge an admin of a room, which is a moderator while it is there. */
  async promote(muc: string): Promise<void> {
    const item = `<item jid="${this.xmpp.component}" affiliation="admin"/>`;
    await this.alice.query(muc, "set", `<query xmlns="http://jabber.org/protocol/muc#admin">${item}</query>`);
  }

  async close(): Promise<void> {
    await this.matrix.keepLogs("prosody", { prosody: this.xmpp.process.output });
    await this.matrix.close(this.alice.end());
    // Not before the bridge has ended, which would look for them.
    await this.wire.stop();
    await this.xmpp.process.stop();
  }
}
