import { randomUUID } from "node:crypto";
import { uncertain } from "@trestle/core";
import { sameJid } from "../address/index.js";
import type { XmppConfig } from "../config.js";
import { Archive } from "../rooms/archive.js";
import { messageOf } from "../stream/errors.js";
import { defaultTuning, xml, type Element, type Ended, type StreamTuning, type XmppStream } from "../stream/index.js";
import { Requests } from "../stream/requests.js";
import { ClientConnection } from "./connection/client-connection.js";
import type { Bound } from "./connection/negotiation.js";
import type { Place } from "./connection/places.js";
import { accountIn, placesOf, type OwnedAccount } from "./owned-account.js";

export interface TryOptions {
  readonly config: XmppConfig;
  readonly tuning: Partial<StreamTuning>;
}

/** What is done while an account is signed in. */
interface Visit {
  /** Never rejects. `address` is the full JID. */
  readonly look: (stream: Pick<XmppStream, "request">, address: string) => Promise<void>;
  /** Takes what is no answer to a question. */
  readonly take: (stanza: Element) => void;
}

const noVisit: Visit = { look: () => Promise.resolve(), take: () => undefined };

/** Signs in once, and out again. Rejects with an `Error` that says why that was not possible. */
export async function tryAccount(
  owned: OwnedAccount,
  options: TryOptions,
  signal: AbortSignal,
  visit: Visit = noVisit,
): Promise<Bound> {
  const places = await placesOf(options.config.accounts, owned.jid).catch((error: unknown) => {
    throw new Error(`the server of ${owned.jid} could not be found`, { cause: error });
  });
  let last: Ended = { reason: "nobody knows where its server is" };
  for (const place of places) {
    signal.throwIfAborted();
    const tried = await tryAt(owned, place, { ...defaultTuning, ...options.tuning }, signal, visit);
    if ("mechanism" in tried) return tried;
    last = tried;
    // It was the server who said so, and will say so anywhere.
    if (tried.condition !== undefined) break;
  }
  if (last.condition === "not-authorized")
    throw new Error(`the server does not take this password for ${owned.jid} (${last.reason})`);
  throw new Error(`signing in as ${owned.jid} was not possible: ${last.reason}`);
}

/**
 * Signs in once, and looks where the account's archive (XEP-0313) ends then: `last` is the id of its last message, `null`
 * where there is none, and `undefined` where it cannot be read. Rejects as {@link tryAccount} does.
 */
export async function tryWithArchive(
  owned: OwnedAccount,
  options: TryOptions,
  signal: AbortSignal,
): Promise<{ readonly mechanism: Bound["mechanism"]; readonly last: string | null | undefined }> {
  let last: string | null | undefined;
  let archive: Archive | undefined;
  const { mechanism } = await tryAccount(owned, options, signal, {
    look: async (stream, address) => {
      archive = new Archive(stream, owned.jid);
      const page = await archive.page(address, { before: "", most: 1 }, signal);
      if (page !== "gone" && !("failed" in page)) last = page.items.at(-1)?.id ?? null;
    },
    // From the account itself alone: anybody can send something that looks like it.
    take: (stanza) => {
      if (stanza.attrs["from"] === owned.jid) archive?.take(stanza);
    },
  });
  return { mechanism, last };
}

function tryAt(
  owned: OwnedAccount,
  place: Place,
  tuning: StreamTuning,
  signal: AbortSignal,
  { look, take }: Visit,
): Promise<Bound | Ended> {
  return new Promise((resolve) => {
    let bound: Bound | undefined;
    const requests = new Requests(sameJid, tuning.maxRequests);
    const givenUp = () => connection.destroy("it was given up");
    const done = (ended: Ended) => {
      signal.removeEventListener("abort", givenUp);
      requests.abandon(ended.reason);
      // The server has let it in, whatever came then.
      resolve(signal.aborted ? ended : (bound ?? ended));
    };
    const request: XmppStream["request"] = async ({ name, attrs, children }) => {
      const id = requests.nextId();
      const { from, ...others } = attrs;
      const answer = requests.wait(id, xml(name, { ...others, from }, ...children), tuning.requestTimeoutMs, signal);
      await connection
        .send(xml(name, { ...others, id }, ...children))
        .catch((error: unknown) => requests.fail(id, uncertain(messageOf(error))));
      return answer;
    };
    const connection = new ClientConnection(
      {
        account: accountIn(owned, `trestle-try-${randomUUID().slice(0, 8)}`),
        place: () => Promise.resolve(place),
        session: undefined,
        tuning,
      },
      {
        online: () => void look({ request }, bound?.jid ?? owned.jid).then(() => connection.close("it was only tried")),
        alive: () => undefined,
        stanza: (stanza) => {
          if (!requests.answered(stanza)) take(stanza);
        },
        ended: done,
      },
      (made) => (bound = made),
    );
    signal.addEventListener("abort", givenUp, { once: true });
  });
}
