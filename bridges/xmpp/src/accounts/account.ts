import { createHash } from "node:crypto";
import type { Login, UserId } from "@trestle/core";
import { bareJidOf, parseJid, sameJid } from "../address/index.js";
import { answerTo } from "../answers.js";
import { ns, readMessage, type MessageStanza } from "../content/index.js";
import { conversationOf, type Conversation } from "../people/conversation.js";
import type { People, Way } from "../people/people.js";
import { Archive } from "../rooms/archive.js";
import type { OwnVoice } from "../rooms/parts.js";
import { CLOCK_SKEW_MS, Place as ArchivePlace } from "../rooms/place.js";
import type { Rooms } from "../rooms/rooms.js";
import { errorElement, xml, type Element, type StreamState } from "../stream/index.js";
import { Uploads } from "../uploads.js";
import { CatchUp } from "./catch-up.js";
import { ClientStream } from "./connection/client-stream.js";
import type { AccountParts } from "./parts.js";
import type { PublicUploads } from "./public-uploads.js";
import { accountIn, placesOf, type OwnedAccount } from "./owned-account.js";

const SAVE_MS = 10_000;

/** The parts of the bridge for which an account works. */
export interface Served {
  readonly people: Pick<People, "way" | "hear">;
  readonly rooms: Pick<Rooms, "takeFor" | "voice">;
}

/** A Matrix user's own account, signed in: what is said to it and with it comes to Matrix, and they speak through it. */
export class Account {
  readonly jid: string;
  readonly user: UserId;
  readonly way: Way;
  /** How the user speaks in rooms. */
  readonly voice: OwnVoice;
  readonly #parts: AccountParts;
  readonly #stream: ClientStream;
  readonly #archive: Archive;
  readonly #place: ArchivePlace;
  readonly #catchUp: CatchUp;
  readonly #people: Served["people"];
  readonly #rooms: Served["rooms"];
  readonly #onRefused: (account: Account, why: string) => void;
  #isClosed = false;

  /** `onRefused`: the server does not let this account in any more, and why. */
  constructor(
    parts: AccountParts,
    readonly login: Login,
    owned: OwnedAccount,
    { people, rooms }: Served,
    publicUploads: PublicUploads,
    onRefused: (account: Account, why: string) => void,
  ) {
    const { network, config, tuning } = parts;
    this.#parts = parts;
    this.jid = owned.jid;
    this.user = login.user;
    this.#people = people;
    this.#rooms = rooms;
    this.#onRefused = onRefused;
    // The same at every start: the server ends what is left of an earlier session.
    const mark = createHash("sha256").update(`${network.bridge.name}\n${login.id}`).digest("hex").slice(0, 12);
    this.#stream = new ClientStream({
      account: accountIn(owned, `trestle-${mark}`),
      places: () => placesOf(config.accounts, owned.jid),
      tuning: {
        backoffMinMs: config.reconnect.min * 1000,
        backoffMaxMs: config.reconnect.max * 1000,
        ...tuning,
      },
      sameAddress: sameJid,
      onStanza: (stanza) => this.#take(stanza),
      onState: (state) => this.#became(state),
      onTraffic: (direction, stanza) => parts.metrics.stanza(direction, stanza),
    });
    this.#archive = new Archive(this.#stream, this.jid);
    this.#place = new ArchivePlace(network.storage, placeKey(login), false, SAVE_MS);
    this.#catchUp = new CatchUp({
      archive: this.#archive,
      place: this.#place,
      address: () => this.#stream.address,
      ...(owned.lastBefore !== undefined && { lastBefore: owned.lastBefore }),
      take: (stanza, at) => this.#message(stanza, at),
      failed: (reason) => this.#stream.interrupt(reason),
    });
    this.voice = { jid: this.jid, stream: this.#stream };
    const server = parseJid(this.jid)?.domain ?? this.jid;
    const uploads = new Uploads({
      ...{ stream: this.#stream, network, asker: this.jid, server, otherwise: parts.uploads },
      // What a server that the operator named says is as good as what that of the component says.
      ...(!Object.hasOwn(config.accounts.servers, server) && {
        dispatcherFor: (url) => publicUploads.dispatcherFor(url),
      }),
    });
    this.way = people.way(this.#stream, {
      jid: this.jid,
      uploads,
      account: {
        address: () => this.#stream.address,
        hasSent: (id, since, signal) => this.#hasSent(id, since, signal),
      },
    });
  }

  start(): void {
    this.#stream.start();
  }

  /** Ends the connection, to be opened at the next start. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const closed = this.#stream.close();
    this.#catchUp.lost();
    this.way.acceptance.lost();
    await closed;
    await this.#place.close();
    this.#parts.network.report({ connection: this.jid, state: "closed" });
  }

  /** Signs out for good. */
  async forget(): Promise<void> {
    this.#isClosed = true;
    const closed = this.#stream.close();
    this.#catchUp.lost();
    this.way.acceptance.lost();
    await closed;
    await this.#place.forget();
    this.#parts.network.report({ connection: this.jid, state: "closed" });
  }

  #became({ state, detail }: StreamState): void {
    if (this.#isClosed) return;
    if (state === "online") {
      if (this.#stream.bound?.isResumed !== true) this.#announce();
      this.#catchUp.begin();
      this.#rooms.voice(this.user, true);
    } else {
      this.#rooms.voice(this.user, false);
      this.#catchUp.lost();
      this.way.acceptance.lost();
    }
    this.#parts.network.report({
      connection: this.jid,
      state: state === "online" ? "connected" : state,
      ...(detail !== undefined && { detail }),
    });
    if (state === "failed") this.#onRefused(this, detail ?? "the server does not let the account in");
  }

  /**
   * Asks for copies of what goes to and comes from the user's other clients (XEP-0280), and shows the bridge as one of
   * them that nobody sits at.
   */
  #announce(): void {
    const { address } = this.#stream;
    const enable = xml("iq", { type: "set", from: address, to: this.jid }, xml("enable", { xmlns: ns.carbons }));
    void this.#stream.request(enable).then((answer) => {
      if (answer.kind !== "error") return;
      const { condition } = answer.error;
      this.#parts.network.log.info({ account: this.jid, condition }, "A server copies nothing of other clients");
    });
    void this.#stream.send(xml("presence", {}, xml("show", {}, "xa"), xml("priority", {}, "0")));
  }

  #take(stanza: Element): Promise<void> | undefined {
    if (stanza.name === "iq") {
      const answer = answerTo(stanza);
      if (answer) void this.#stream.send(answer);
      return undefined;
    }
    const taken = this.#rooms.takeFor(this.user, stanza);
    if (taken !== "unknown") return taken;
    if (stanza.name !== "message") return undefined;
    if (stanza.getChild("result", ns.mam)) {
      // From the account itself alone: anybody can send something that looks like it.
      if (stanza.attrs["from"] === this.jid) this.#archive.take(stanza);
      return undefined;
    }
    return this.#catchUp.hear(stanza);
  }

  /** Takes a message as it came, or (with `at`) as the archive has it. */
  #message(stanza: Element, at?: number): Promise<void> | undefined {
    const message = readMessage(stanza, { account: this.jid });
    if (message.what.kind === "carbon") {
      const inner = copied(stanza);
      return inner && this.#said(inner, message.what.message, { isCopy: true, ...(at !== undefined && { at }) });
    }
    if (message.what.kind === "forged") {
      this.#parts.network.log.warn(
        { account: this.jid, from: stanza.attrs["from"], reason: message.what.reason },
        "A forged copy of a message was dropped",
      );
      return undefined;
    }
    return this.#said(stanza, message, { isCopy: at !== undefined, ...(at !== undefined && { at }) });
  }

  #said(
    stanza: Element,
    message: MessageStanza,
    how: { readonly isCopy: boolean; readonly at?: number },
  ): Promise<void> | undefined {
    const isInvite = message.what.kind === "invite";
    if (message.type === "groupchat" || message.type === "headline") return undefined;
    if (message.isRoomPrivate && !isInvite) {
      if (!how.isCopy) this.#refusePrivate(stanza, message);
      return undefined;
    }
    const isOwn = bareJidOf(message.from ?? "") === this.jid;
    // A room passes on who invites.
    const by = message.what.kind === "invite" ? message.what.by : undefined;
    const talk = this.#talkWith(isOwn ? message.to : (by ?? message.from));
    if (!talk) return undefined;
    // What Matrix has said is in Matrix already.
    const { id } = message.ids;
    if (isOwn && message.what.kind !== "error" && id !== undefined && this.#isOurs(talk, id)) return undefined;
    const { at } = how;
    const heard = { way: this.way, isOwn, isCopy: how.isCopy, ...(at !== undefined && { at }) };
    const taken = this.#people.hear(talk, stanza, message, heard);
    const { stanzaId } = message.ids;
    if (at === undefined && !isOwn && stanzaId !== undefined && this.#catchUp.isUpToDate)
      return this.#place.advance(stanzaId, taken);
    return taken;
  }

  /** What somebody in a room says to this client alone nobody sees (XEP-0045 §7.5): they are told so. */
  #refusePrivate({ attrs: { from, to, id } }: Element, { what }: MessageStanza): void {
    if (what.kind !== "text" && what.kind !== "correction" && what.kind !== "encrypted") return;
    const why = `This client is a bridge to Matrix, which takes no private messages of rooms: write to ${this.jid}.`;
    const error = errorElement("cancel", "feature-not-implemented", why);
    void this.#stream.send(xml("message", { from: to, to: from, id, type: "error" }, error));
  }

  /** One message may be several on XMPP, with the part behind a dot. */
  #isOurs({ user, person }: Conversation, id: string): boolean {
    return this.#parts.ids.isOwn(`${user} ${person}`, id.replace(/\.\d{1,4}$/, ""));
  }

  /** The conversation with somebody; `undefined` where it is nobody, or the user's own address. */
  #talkWith(address = ""): Conversation | undefined {
    const person = bareJidOf(address);
    if (person === undefined || person === this.jid || parseJid(person)?.local === undefined) return undefined;
    // Matrix users are on Matrix.
    if (parseJid(person)?.domain === this.#parts.config.domain) return undefined;
    return conversationOf(`${this.user} ${person}`);
  }

  async #hasSent(id: string, since: number, signal: AbortSignal): Promise<boolean | undefined> {
    if (!this.#catchUp.hasArchive) return undefined;
    let place: { readonly after: string } | { readonly start: number } = { start: since - CLOCK_SKEW_MS };
    for (;;) {
      const page = await this.#archive.page(this.#stream.address, place, signal);
      if (page === "gone") throw new Error(`The archive of ${this.jid} has changed while it was read`);
      if ("failed" in page) throw new Error(page.reason);
      if (page.items.some(({ message }) => message.attrs["id"] === id)) return true;
      const last = page.items.at(-1);
      if (page.complete || !last) return false;
      place = { after: last.id };
    }
  }
}

/** The message that a copy (XEP-0280) holds. */
function copied(stanza: Element): Element | undefined {
  const carbon = stanza.getChild("sent", ns.carbons) ?? stanza.getChild("received", ns.carbons);
  return carbon
    ?.getChild("forwarded", ns.forward)
    ?.getChildElements()
    .find((child) => child.getName() === "message");
}

function placeKey({ id }: Login): string {
  return `account place ${id}`;
}
