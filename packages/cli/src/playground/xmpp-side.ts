import { randomUUID } from "node:crypto";
import { ComponentStream, sameJid, xml, type Element } from "@trestle/xmpp";
import type { PageEvent, SideState } from "./page-events.js";
import { Timeline } from "./timeline.js";

export interface XmppSideOptions {
  readonly componentPort: number;
  readonly secret: string;
  /** The domain of the people of the page. */
  readonly domain: string;
  /** The bridge's. */
  readonly bridgeDomain: string;
  readonly room: string;
  /** Nicks. */
  readonly person: string;
  readonly friend: string;
  readonly topic: string;
  readonly tell: (event: PageEvent) => void;
  /** Called with the text of every message that is seen in the room. */
  readonly heard: (text: string) => void;
}

const MUC = "http://jabber.org/protocol/muc";
const READY_WITHIN_MS = 15_000;

/** The XMPP half of the page: people in a room, users of a component of their own. */
export class XmppSide {
  readonly #timeline: Timeline;
  readonly #stream: ComponentStream;
  /** Whether each in the room is on the bridge's side, by nick. */
  readonly #occupants = new Map<string, boolean>();
  #entered: () => void = () => undefined;
  #happenings = 0;

  private constructor(private readonly options: XmppSideOptions) {
    const { componentPort, secret, domain, person, friend, tell } = options;
    this.#timeline = new Timeline("network", person, friend, tell);
    this.#stream = new ComponentStream({
      address: { host: "127.0.0.1", port: componentPort, domain, secret },
      sameAddress: sameJid,
      onStanza: (stanza) => {
        this.#take(stanza);
        return undefined;
      },
      onState: ({ state }) => {
        if (state === "online") this.#join(person);
      },
    });
  }

  /** Resolves when the person is in the room. */
  static async start(options: XmppSideOptions): Promise<XmppSide> {
    const side = new XmppSide(options);
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        side.#entered = resolve;
        timer = setTimeout(
          () => reject(new Error(`${options.room} could not be entered within ${READY_WITHIN_MS} ms.`)),
          READY_WITHIN_MS,
        );
        side.#stream.start();
      });
    } catch (error) {
      await side.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
    side.setTopic(options.topic);
    return side;
  }

  get state(): SideState {
    return this.#timeline.state;
  }

  say(text: string, emote = false): void {
    this.#send("message", this.options.person, this.options.room, xml("body", {}, emote ? `/me ${text}` : text));
  }

  setTopic(topic: string): void {
    this.#send("message", this.options.person, this.options.room, xml("subject", {}, topic));
  }

  setFriend(here: boolean): void {
    const { friend, room } = this.options;
    if (here) this.#join(friend);
    else this.#post(xml("presence", { from: this.#jid(friend), to: `${room}/${friend}`, type: "unavailable" }));
  }

  async close(): Promise<void> {
    await this.#stream.close();
  }

  #join(nick: string): void {
    const history = xml("history", { maxstanzas: "0" });
    this.#send("presence", nick, `${this.options.room}/${nick}`, xml("x", { xmlns: MUC }, history));
  }

  #send(name: "message" | "presence", nick: string, to: string, child: Element): void {
    const type = name === "message" ? "groupchat" : undefined;
    this.#post(xml(name, { from: this.#jid(nick), to, type, id: randomUUID() }, child));
  }

  #post(stanza: Element): void {
    // Told where the page's log is: a playground whose server is gone cannot go on.
    void this.#stream.send(stanza).then((failure) => {
      if (failure) process.stderr.write(`The page's XMPP component: ${failure.reason}\n`);
    });
  }

  /** What the room shows to the person at the page. */
  #take(stanza: Element): void {
    const { from = "", to, type, id } = stanza.attrs;
    const slash = from.indexOf("/");
    const [room, nick] = slash === -1 ? [from, ""] : [from.slice(0, slash), from.slice(slash + 1)];
    if (room !== this.options.room || to !== this.#jid(this.options.person)) return;
    if (stanza.name === "presence") {
      if (type === undefined || type === "unavailable") this.#presence(stanza, nick, type === undefined);
      return;
    }
    if (stanza.name !== "message" || type !== "groupchat") return;
    const [subject, body] = [stanza.getChildText("subject"), stanza.getChildText("body")];
    if (subject !== null && body === null) {
      this.#timeline.setTopic(subject);
      if (nick !== "") this.#happened(`${nick} set the topic: ${subject}`);
      return;
    }
    if (body === null || nick === "") return;
    const action = /^\/me\s+(.*)$/s.exec(body)?.[1];
    const text = action ?? body;
    this.#timeline.addMessage({
      id: stanza.getChild("stanza-id", "urn:xmpp:sid:0")?.attrs["id"] ?? id ?? randomUUID(),
      from: { id: nick, name: nick },
      relayed: this.#occupants.get(nick) === true,
      style: action === undefined ? "text" : "emote",
      text,
      at: Date.now(),
    });
    this.options.heard(text);
  }

  #presence(stanza: Element, nick: string, isHere: boolean): void {
    const { person, bridgeDomain } = this.options;
    const shown = stanza.getChild("x", `${MUC}#user`);
    const wasHere = this.#occupants.has(nick);
    // The person made the room and owns it: they see who is behind a nick.
    const jid = shown?.getChild("item")?.attrs["jid"] ?? "";
    if (isHere) this.#occupants.set(nick, jid.split("/", 1)[0]?.endsWith(bridgeDomain) === true);
    else this.#occupants.delete(nick);
    if (wasHere !== isHere) {
      this.#timeline.setMembers([...this.#occupants.keys()].map((each) => ({ id: each, name: each })));
      if (nick !== person) this.#happened(`${nick} ${isHere ? "joined" : "left"}`);
    }
    if (nick === person && isHere) this.#entered();
  }

  #happened(text: string): void {
    this.#timeline.addHappening(`happening-${++this.#happenings}`, text, Date.now());
  }

  #jid(nick: string): string {
    return `${nick}@${this.options.domain}/page`;
  }
}
