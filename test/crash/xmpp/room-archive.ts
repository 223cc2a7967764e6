import { randomUUID } from "node:crypto";
import { xml, type XmppElement } from "@xmpp/component";
import type { XmppPeople } from "./people.js";
import { doesSomething, readRoomMessage, type RoomMessage } from "./room-message.js";

const MAM = "urn:xmpp:mam:2";
const RSM = "http://jabber.org/protocol/rsm";
const pageSize = 200;

/** A message as a room keeps it. */
export interface Archived extends RoomMessage {
  readonly id: string;
  /** When the room took it, in milliseconds since 1970. */
  readonly at: number;
}

/** Reads a room's archive (XEP-0313) bit by bit, from its beginning: all that was said and done in the room, in its order. */
export class RoomArchive {
  readonly messages: Archived[] = [];
  #after: string | undefined;
  readonly #ids = new Set<string>();

  constructor(
    private readonly people: XmppPeople,
    readonly room: string,
  ) {}

  /** Reads what is new; resolves to how much that was. */
  async read(): Promise<number> {
    const before = this.messages.length;
    for (;;) {
      const results: XmppElement[] = [];
      const queryid = randomUUID();
      const set = xml(
        "set",
        { xmlns: RSM },
        xml("max", {}, String(pageSize)),
        this.#after === undefined ? undefined : xml("after", {}, this.#after),
      );
      const answer = await this.people.ask(this.room, queryid, xml("query", { xmlns: MAM, queryid }, set), (result) =>
        results.push(result),
      );
      for (const result of results) this.#take(result);
      if (results.length === 0 || answer.getChild("fin", MAM)?.attrs["complete"] === "true")
        return this.messages.length - before;
    }
  }

  #take(result: XmppElement): void {
    const id = result.attrs["id"] ?? "";
    this.#after = id;
    // An archive on a busy disk may show the same entry twice.
    if (this.#ids.has(id)) return;
    this.#ids.add(id);
    const forwarded = result.getChild("forwarded", "urn:xmpp:forward:0");
    const message = forwarded?.getChild("message");
    if (!message) return;
    const said = readRoomMessage(message, id);
    if (!doesSomething(said)) return;
    const at = Date.parse(forwarded?.getChild("delay", "urn:xmpp:delay")?.attrs["stamp"] ?? "");
    this.messages.push({ ...said, id, at });
  }
}
