import { randomUUID } from "node:crypto";
import { retry, type Failure } from "@trestle/core";
import { failureOf, xml, type Element, type XmppStream } from "../stream/index.js";
import { delayOf, NS } from "./muc.js";

/** A message as a room has archived it. */
export interface Archived {
  /** The room's id of it (XEP-0359). */
  readonly id: string;
  readonly at: number | undefined;
  readonly message: Element;
}

export interface ArchivePage {
  readonly items: readonly Archived[];
  /** There is nothing more behind it. */
  readonly complete: boolean;
}

/** Where to begin: behind a message, or with a time (milliseconds since 1970); at the very beginning where it says neither. */
export interface ArchivePlace {
  readonly after?: string;
  readonly start?: number;
  /** The last message alone. */
  readonly latest?: boolean;
}

const PAGE = 100;
/** Far more than a page: a server that sends more than was asked for fills no memory. */
const MOST = 1_000;

/** A room's archive (XEP-0313, XEP-0059), oldest first. */
export class Archive {
  readonly #collecting = new Map<string, Archived[]>();

  constructor(
    private readonly stream: XmppStream,
    private readonly room: string,
  ) {}

  /** `gone`: the archive does not have the message after which it was asked. */
  async page(from: string, place: ArchivePlace, signal?: AbortSignal): Promise<ArchivePage | "gone" | Failure> {
    const queryid = randomUUID();
    const items: Archived[] = [];
    this.#collecting.set(queryid, items);
    try {
      const answer = await this.stream.request(pageQuery(from, this.room, queryid, place), {
        ...(signal && { signal }),
      });
      if (answer.kind === "failure") return retry(answer.failure.reason);
      if (answer.kind === "error")
        return answer.error.condition === "item-not-found" && place.after !== undefined
          ? "gone"
          : failureOf(answer.error, `Reading the archive of ${this.room}`);
      const fin = answer.stanza.getChild("fin", NS.mam);
      // An empty page that claims to be followed by others would be asked for for ever.
      return { items, complete: fin?.attrs["complete"] === "true" || items.length === 0 };
    } finally {
      this.#collecting.delete(queryid);
    }
  }

  /** Takes a message that comes from the room itself; false where it is no part of an answer. */
  take(stanza: Element): boolean {
    const result = stanza.getChild("result", NS.mam);
    if (!result) return false;
    const items = this.#collecting.get(result.attrs["queryid"] ?? "");
    const forwarded = result.getChild("forwarded", NS.forward);
    const message = forwarded?.getChild("message");
    const id = result.attrs["id"];
    if (items && forwarded && message && id !== undefined && id !== "" && items.length < MOST)
      items.push({ id, at: delayOf(forwarded), message });
    return true;
  }
}

function pageQuery(from: string, room: string, queryid: string, { after, start, latest }: ArchivePlace): Element {
  const field = (name: string, value: string, type?: string) =>
    xml("field", { var: name, type }, xml("value", {}, value));
  const form =
    start === undefined
      ? undefined
      : xml(
          "x",
          { xmlns: NS.data, type: "submit" },
          field("FORM_TYPE", NS.mam, "hidden"),
          field("start", new Date(start).toISOString()),
        );
  const set = xml(
    "set",
    { xmlns: NS.rsm },
    xml("max", {}, latest === true ? "1" : String(PAGE)),
    latest === true ? xml("before") : undefined,
    after === undefined ? undefined : xml("after", {}, after),
  );
  return xml("iq", { type: "set", from, to: room }, xml("query", { xmlns: NS.mam, queryid }, form, set));
}
