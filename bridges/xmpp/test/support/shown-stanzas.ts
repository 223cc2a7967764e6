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
  readonly seen: Seen[] = [];

  /** `isBridge`: whether the bridge, or somebody for whom it speaks, says it; `account`: whose account says it. */
  take(stanza: Element, isBridge: boolean, account?: string): void {
    const id = idOf(stanza);
    const given = stanza.attrs["id"] ?? "";
    const nick = stanza.attrs["from"] ?? "";
    this.#ids.set(`${nick}\n${given}`, id);
    if (!isBridge) return;
    const said = this.#about(stanza, nick) ?? this.#said(stanza, id, account);
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

  #said(stanza: Element, id: string, account: string | undefined): Seen[] {
    const [body, subject] = [stanza.getChildText("body"), stanza.getChildText("subject")];
    if (body === null) return subject === null || subject === "" ? [] : [{ kind: "topic", text: subject }];
    if (stanza.getChild("x", NS.oob)) {
      void this.#showFile(stanza, id, body);
      return [];
    }
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
        ...(account !== undefined && { by: account }),
        ...(reply !== undefined && { replyTo: reply }),
      },
    ];
  }

  /** It is seen when it was fetched, as with clients. */
  async #showFile(stanza: Element, id: string, url: string): Promise<void> {
    const name = stanza.getChild("file-sharing", NS.sfs)?.getChild("file", NS.file)?.getChildText("name") ?? "";
    let content = new Uint8Array();
    try {
      content = new Uint8Array(await (await fetch(url)).arrayBuffer());
    } catch {
      // A file that cannot be had is seen as an empty one.
    }
    this.seen.push({ kind: "file", id, name, content });
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
