import type { Seen } from "@trestle/conformance";
import type { Element } from "../../dist/stream/index.js";

const NS = {
  sid: "urn:xmpp:sid:0",
  correction: "urn:xmpp:message-correct:0",
  retraction: "urn:xmpp:message-retract:1",
  reactions: "urn:xmpp:reactions:0",
  reply: "urn:xmpp:reply:0",
  fallback: "urn:xmpp:fallback:0",
  oob: "jabber:x:oob",
  sfs: "urn:xmpp:sfs:0",
  file: "urn:xmpp:file:metadata:0",
} as const;

/** What a client makes of the messages of a room, in order: who said them, and what they are about. */
export class ShownStanzas {
  /** The room's id of a message by those of its sender. */
  readonly #ids = new Map<string, string>();
  readonly #sets = new Map<string, readonly string[]>();
  readonly #files = new Map<string, Uint8Array>();
  readonly seen: Seen[] = [];

  /** `isBridge`: whether the bridge, or somebody for whom it speaks, says it. */
  take(stanza: Element, isBridge: boolean): void {
    const id = idOf(stanza);
    const given = stanza.attrs["id"] ?? "";
    const nick = stanza.attrs["from"] ?? "";
    this.#ids.set(`${nick}\n${given}`, id);
    if (!isBridge) return;
    const said = this.#about(stanza, nick) ?? this.#said(stanza, id);
    this.seen.push(...said);
  }

  /** The id that its sender gave a message that the room calls `id`. */
  givenId(nick: string, id: string): string | undefined {
    for (const [key, known] of this.#ids)
      if (known === id && key.startsWith(`${nick}\n`)) return key.slice(nick.length + 1);
    return undefined;
  }

  #about(stanza: Element, nick: string): Seen[] | undefined {
    const retracted = stanza.getChild("retract", NS.retraction)?.attrs["id"];
    if (retracted !== undefined) return [{ kind: "removal", target: retracted }];
    const reactions = stanza.getChild("reactions", NS.reactions);
    if (!reactions) return undefined;
    const target = reactions.attrs["id"] ?? "";
    const keys = reactions.getChildren("reaction").map((reaction) => reaction.getText());
    const before = this.#sets.get(`${nick}\n${target}`) ?? [];
    this.#sets.set(`${nick}\n${target}`, keys);
    const given = keys.filter((key) => !before.includes(key));
    const gone = before.filter((key) => !keys.includes(key));
    return [
      ...gone.map((key): Seen => ({ kind: "reactionRemoved", target, key })),
      ...given.map((key): Seen => ({ kind: "reaction", target, key })),
    ];
  }

  #said(stanza: Element, id: string): Seen[] {
    const [body, subject] = [stanza.getChildText("body"), stanza.getChildText("subject")];
    if (body === null) return subject === null || subject === "" ? [] : [{ kind: "topic", text: subject }];
    if (stanza.getChild("x", NS.oob)) return [this.#file(stanza, id, body)];
    const reply = stanza.getChild("reply", NS.reply)?.attrs["id"];
    const text = withoutQuotation(stanza, body);
    const action = /^\/me (.*)$/s.exec(text)?.[1];
    const replaces = stanza.getChild("replace", NS.correction)?.attrs["id"];
    if (replaces !== undefined) {
      const target = this.#ids.get(`${stanza.attrs["from"] ?? ""}\n${replaces}`) ?? replaces;
      return [{ kind: "edit", target, text }];
    }
    return [
      {
        kind: "message",
        id,
        text: action ?? text,
        emote: action !== undefined,
        ...(reply !== undefined && { replyTo: reply }),
      },
    ];
  }

  /** What is in it is fetched when it is shown, as clients do. */
  #file(stanza: Element, id: string, url: string): Seen {
    const name = stanza.getChild("file-sharing", NS.sfs)?.getChild("file", NS.file)?.getChildText("name") ?? "";
    const files = this.#files;
    void fetch(url)
      .then((answer) => answer.arrayBuffer())
      .then(
        (bytes) => files.set(url, new Uint8Array(bytes)),
        () => files.set(url, new Uint8Array()),
      );
    return {
      kind: "file",
      id,
      name,
      get content() {
        return files.get(url) ?? new Uint8Array();
      },
    };
  }
}

export function idOf(message: Element): string {
  return message.getChild("stanza-id", NS.sid)?.attrs["id"] ?? message.attrs["id"] ?? "";
}

/** XEP-0428: what stands in for a reply is not shown where replies are. */
function withoutQuotation(stanza: Element, body: string): string {
  const range = stanza
    .getChildren("fallback", NS.fallback)
    .find(({ attrs }) => attrs["for"] === NS.reply)
    ?.getChild("body")?.attrs;
  if (!range) return body;
  const characters = Array.from(body);
  const [start, end] = [Number(range["start"] ?? 0), Number(range["end"] ?? characters.length)];
  return [...characters.slice(0, start), ...characters.slice(end)].join("");
}
