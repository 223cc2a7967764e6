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
  /** The last ones before a message; the last of all where it is the empty string. */
  readonly before?: string;
  /** How many at most; a page where absent. */
  readonly most?: number;
}

const PAGE = 100;
/** Far more than a page: a server that sends more than was asked for fills no memory. */
const MOST = 1_000;

/** A room's archive (XEP-0313, XEP-0059), oldest first. */
export class Archive {
  readonly #collecting = new Map<string, Archived[]>();

  constructor(
    private readonly stream: Pick<XmppStream, "request">,
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
        return answer.error.condition === "item-not-found" && (place.after ?? place.before) !== undefined
          ? "gone"
          : failureOf(answer.error, `Reading the archive of ${this.room}`);
      const fin = answer.stanza.getChild("fin", NS.mam);
      // An empty page that claims to be followed by others would be asked for for ever.
      return { items, complete: fin?.attrs["complete"] === "true" || items.length === 0 };
    } finally {
      this.#collecting.delete(queryid);
    }
  }

  /** The message that the room gave this id; `undefined` where it is not in the archive. */
  async find(from: string, id: string, signal?: AbortSignal): Promise<Archived | Failure | undefined> {
    // Archives can be asked for what stands before or behind a message, and not all of them for the message itself.
    const before = await this.page(from, { before: id, most: 1 }, signal);
    if (before === "gone") return undefined;
    if ("failed" in before) return before;
    const last = before.items.at(-1);
    const page = await this.page(from, { ...(last && { after: last.id }), most: 1 }, signal);
    if (page === "gone") return undefined;
    return "failed" in page ? page : page.items.find((item) => item.id === id);
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

function pageQuery(from: string, room: string, queryid: string, place: ArchivePlace): Element {
  const { after, start, before, most = PAGE } = place;
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
    xml("max", {}, String(most)),
    before === undefined ? undefined : xml("before", {}, before),
    after === undefined ? undefined : xml("after", {}, after),
  );
  return xml("iq", { type: "set", from, to: room }, xml("query", { xmlns: NS.mam, queryid }, form, set));
}
