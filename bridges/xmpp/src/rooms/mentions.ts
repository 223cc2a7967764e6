import { RemoteUserId, UserId, type Content } from "@trestle/core";
import { mapMentions, type Inline, type Mention, type MentionTarget, type RichText } from "@trestle/rich-text";
import { bareJidOf, parseJid, userOfLocal } from "../address/index.js";
import type { Members } from "./members.js";

export interface MentionsOptions {
  readonly room: string;
  /** The component's domain. */
  readonly domain: string;
  readonly members: Members;
  /** The Matrix user whose occupant has a nick. */
  readonly userWithNick: (nick: string) => UserId | undefined;
  /** The nick of a Matrix user's occupant. */
  readonly nickOfUser: (user: UserId) => string | undefined;
}

/** Who is mentioned in what the room shows. */
export class InwardMentions {
  constructor(private readonly options: MentionsOptions) {}

  /** With everybody whose JID is mentioned as who they are to the core. */
  read(content: Content): Content {
    if (content.type === "text") return { ...content, body: this.#addressed(this.#mapped(content.body)) };
    if (content.type === "media" && content.caption) return { ...content, caption: this.#mapped(content.caption) };
    return content;
  }

  /** Whom a JID in a mention means, as people and clients write it. */
  whoIs(jid: string): MentionTarget | undefined {
    const { room, domain, members, userWithNick } = this.options;
    const parsed = parseJid(jid);
    const bare = bareJidOf(jid);
    if (!parsed || bare === undefined) return undefined;
    if (bare === room) {
      if (parsed.resource === undefined) return undefined;
      const user = userWithNick(parsed.resource);
      if (user !== undefined) return { kind: "matrixUser", userId: user };
      const person = members.withNick(parsed.resource);
      return person && { kind: "remoteUser", id: person };
    }
    if (parsed.domain === domain && parsed.local !== undefined) {
      const user = userOfLocal(parsed.local);
      return user && { kind: "matrixUser", userId: user };
    }
    return { kind: "remoteUser", id: RemoteUserId(bare) };
  }

  #mapped(text: RichText): RichText {
    return mapMentions(text, (mention): Mention | Inline => {
      if (mention.target.kind !== "remoteUser") return mention;
      const target = this.whoIs(mention.target.id);
      return target ? { ...mention, target } : { type: "text", text: mention.text };
    });
  }

  /** `Bob: …`, as most clients write a mention in a room, where Bob is a Matrix user. */
  #addressed(text: RichText): RichText {
    const [first, ...others] = text.blocks;
    const [begin, ...rest] = first?.type === "paragraph" ? first.children : [];
    if (first?.type !== "paragraph" || begin?.type !== "text") return text;
    const end = /[:,](?=\s|$)/.exec(begin.text)?.index ?? 0;
    const nick = begin.text.slice(0, end);
    const userId = nick === "" ? undefined : this.options.userWithNick(nick);
    if (userId === undefined) return text;
    const mention: Mention = { type: "mention", target: { kind: "matrixUser", userId }, text: nick };
    const children = [mention, { type: "text" as const, text: begin.text.slice(end) }, ...rest];
    return { blocks: [{ ...first, children }, ...others] };
  }
}

/** The JID and the nick that a mention on Matrix is of; `undefined` where it is of nobody in the room. */
export function mentionedIn(
  { room, members, nickOfUser }: MentionsOptions,
  target: MentionTarget,
): { readonly jid: string; readonly name: string } | undefined {
  const nick =
    target.kind === "remoteUser"
      ? members.nickOf(RemoteUserId(target.id))
      : target.kind === "matrixUser"
        ? nickOfUser(UserId(target.userId))
        : undefined;
  return nick === undefined ? undefined : { jid: `${room}/${nick}`, name: nick };
}
