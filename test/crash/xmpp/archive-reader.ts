import { randomUUID } from "node:crypto";
import { xml, type XmppElement } from "@xmpp/component";

const MAM = "urn:xmpp:mam:2";
const RSM = "http://jabber.org/protocol/rsm";
const pageSize = 200;

/** Asks an archive, and gives `collect` what comes before the answer under the same `queryid`. */
export type AskArchive = (
  queryid: string,
  query: XmppElement,
  collect: (result: XmppElement) => void,
) => Promise<XmppElement>;

/** Reads an archive (XEP-0313) bit by bit, from its beginning. */
export class ArchiveReader {
  #after: string | undefined;
  readonly #ids = new Set<string>();

  /** `form`: which of its messages; `take` is given each, with the archive's id, and when it was taken (ms since 1970). */
  constructor(
    private readonly ask: AskArchive,
    private readonly take: (message: XmppElement, id: string, at: number) => void,
    private readonly form?: XmppElement,
  ) {}

  /** Resolves when all that is new was taken. */
  async read(): Promise<void> {
    for (;;) {
      const results: XmppElement[] = [];
      const queryid = randomUUID();
      const set = xml(
        "set",
        { xmlns: RSM },
        xml("max", {}, String(pageSize)),
        this.#after === undefined ? undefined : xml("after", {}, this.#after),
      );
      const query = xml("query", { xmlns: MAM, queryid }, this.form, set);
      const answer = await this.ask(queryid, query, (result) => results.push(result));
      for (const result of results) this.#take(result);
      if (results.length === 0 || answer.getChild("fin", MAM)?.attrs["complete"] === "true") return;
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
    const at = Date.parse(forwarded?.getChild("delay", "urn:xmpp:delay")?.attrs["stamp"] ?? "");
    if (message) this.take(message, id, at);
  }
}

/** Only what was said with somebody (XEP-0313 §4.1.1). */
export function conversationWith(jid: string): XmppElement {
  const field = (name: string, value: string, type?: string): XmppElement =>
    xml("field", { var: name, type }, xml("value", {}, value));
  return xml("x", { xmlns: "jabber:x:data", type: "submit" }, field("FORM_TYPE", MAM, "hidden"), field("with", jid));
}
