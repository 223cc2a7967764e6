import { randomUUID } from "node:crypto";
import {
  parseJson,
  RemoteMessageId,
  RemoteUserId,
  type ChannelId,
  type InvitationDeclined,
  type Network,
  type UserId,
} from "@trestle/core";
import { z } from "zod";
import { bareJidOf, sameJid } from "../address/index.js";
import { readMessage } from "../content/index.js";
import { stanzaErrorOf, type Element } from "../stream/index.js";

const sentSchema = z.object({ id: z.string(), who: z.string(), user: z.string() });
const storedSchema = z.array(sentSchema);
type SentInvitation = z.output<typeof sentSchema>;

/** Of so many it is known who had asked; of older ones nobody is told. */
const MOST_KEPT = 100;

/**
 * Whom Matrix users have asked into a room (XEP-0045 §7.8.2), until they, or the room, say no. Only that is told: anybody
 * can have a room pass on that they would rather not come.
 */
export class SentInvitations {
  #sent: readonly SentInvitation[] = [];

  constructor(
    private readonly network: Network,
    private readonly channel: ChannelId,
  ) {}

  async load(): Promise<void> {
    const stored = await this.network.storage.get(this.#key);
    const parsed = stored === undefined ? undefined : parseJson(stored, storedSchema);
    this.#sent = parsed ?? [];
  }

  async forget(): Promise<void> {
    await this.network.storage.delete(this.#key);
  }

  /** The room is about to be asked to invite somebody, in a message with this id. On disk when it resolves. */
  async asking(id: string, who: RemoteUserId, user: UserId): Promise<void> {
    const others = this.#sent.filter((each) => each.who !== who);
    await this.#keep([...others, { id, who, user }].slice(-MOST_KEPT));
  }

  /** A message came back: `undefined` where it was none of these. */
  bounced(stanza: Element): Promise<void> | undefined {
    const sent = this.#sent.find(({ id }) => id === stanza.attrs["id"]);
    if (!sent) return undefined;
    const { condition, text } = stanzaErrorOf(stanza);
    const why = text === undefined ? condition : `${text} (${condition})`;
    return this.#tell(sent, "refused", `${this.channel} refused it: ${why}`);
  }

  /** Takes what the room says to one of ours: `undefined` where it says of nobody that they would rather not come. */
  declined(stanza: Element): Promise<void> | undefined {
    const { what } = readMessage(stanza);
    if (what.kind !== "inviteDeclined") return undefined;
    const by = bareJidOf(what.by ?? "") ?? "";
    const sent = this.#sent.find(({ who }) => sameJid(who, by));
    return sent ? this.#tell(sent, "declined", what.reason) : Promise.resolve();
  }

  async #tell(sent: SentInvitation, how: InvitationDeclined["how"], reason: string | undefined): Promise<void> {
    await this.network.receive({
      kind: "declined",
      id: RemoteMessageId(`${how}:${randomUUID()}`),
      channel: this.channel,
      who: { id: RemoteUserId(sent.who) },
      how,
      userId: sent.user,
      ...(reason !== undefined && { reason }),
    });
    await this.#keep(this.#sent.filter((each) => each !== sent));
  }

  async #keep(sent: readonly SentInvitation[]): Promise<void> {
    this.#sent = sent;
    await this.network.storage.set(this.#key, JSON.stringify(sent));
  }

  get #key(): string {
    return `invited ${this.channel}`;
  }
}
