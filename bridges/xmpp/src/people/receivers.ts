import type { Failure, FoundUser, Network, UserId } from "@trestle/core";
import { bareJidOf } from "../address/index.js";
import { uriOfJid, type XmlElement } from "../content/index.js";
import { refusal, refused, type Refusal } from "../gateway/errors.js";
import type { XmppStream } from "../stream/index.js";
import { Recent } from "./recent.js";

/** For so long nobody is looked up again, in milliseconds. */
const knownMs = 60_000;

/** Whether Matrix users to whom somebody writes for the first time are there at all. Who is not cannot be written to. */
export class Receivers {
  readonly #known = new Recent<{ readonly found: FoundUser; readonly at: number }>(1_000);

  constructor(private readonly parts: { readonly network: Network; readonly stream: Pick<XmppStream, "send"> }) {}

  /**
   * Sends a message back that nobody would hear: `told` says so, a failure that it could not be sent back yet. `heard`: there
   * is somebody, as far as is known.
   */
  async refuse(user: UserId, stanza: XmlElement): Promise<"heard" | "told" | Failure> {
    const why = whyNot(user, await this.#find(user));
    if (!why) return "heard";
    const answer = refused(stanza, why);
    return (answer && (await this.parts.stream.send(answer))) ?? "told";
  }

  async #find(user: UserId): Promise<FoundUser> {
    const now = performance.now();
    const known = this.#known.get(user);
    if (known && now - known.at <= knownMs) return known.found;
    const found = await this.parts.network.lookUpUser(user);
    this.#known.set(user, { found, at: now });
    return found;
  }
}

function whyNot(user: UserId, found: FoundUser): Refusal | undefined {
  if (found.is === "user") return undefined;
  if (found.is === "nobody")
    return refusal(
      "cancel",
      "item-not-found",
      `There is no ${user} on Matrix, or their homeserver does not know them.`,
    );
  const { person } = found;
  if (person === undefined || bareJidOf(person) === undefined)
    return refusal("cancel", "item-not-found", `${user} stands for somebody on XMPP who cannot be written to here.`);
  return {
    ...refusal("modify", "redirect", `This address stands for ${person}, who is on XMPP: write to them there.`),
    address: uriOfJid(person),
  };
}
