import type { Logger } from "@trestle/core";
import { parseJid, userOfLocal } from "../address/index.js";
import { readIq, type IqStanza } from "../content/index.js";
import type { MatrixPeople } from "../people/matrix-people.js";
import type { StanzaTaker } from "../stanza-taker.js";
import { errorElement, xml, type Element, type XmppStream } from "../stream/index.js";
import { unavailable, type Answered } from "./answered.js";
import { Commands } from "./commands.js";
import type { LinkActions } from "./link-actions.js";
import { ComponentQueries } from "./component-queries.js";
import { answerForUser } from "./user-queries.js";

export interface DiscoveryOptions {
  readonly stream: XmppStream;
  readonly log: Logger;
  readonly domain: string;
  readonly matrixPeople: MatrixPeople;
  readonly links: LinkActions;
  /** Matrix rooms are rooms of the component's domain. */
  readonly hasRooms: boolean;
}

/** So many queries are answered at once; whoever asks more is told to wait. */
const mostAtOnce = 200;

/** Answers what is asked of the component, and of Matrix users. */
export class Discovery implements StanzaTaker {
  readonly #options: DiscoveryOptions;
  readonly #component: ComponentQueries;
  #answering = 0;

  constructor(options: DiscoveryOptions) {
    const { domain, matrixPeople, hasRooms, links } = options;
    this.#options = options;
    const commands = new Commands(domain, matrixPeople, links);
    this.#component = new ComponentQueries({ domain, matrixPeople, commands, hasRooms });
  }

  /** Takes a query to the component or to a Matrix user that it has an answer to. */
  take(stanza: Element): undefined | "unknown" {
    const { type, from, to: receiver = "" } = stanza.attrs;
    if (stanza.name !== "iq" || (type !== "get" && type !== "set") || from === undefined) return "unknown";
    const { domain } = this.#options;
    const to = parseJid(receiver);
    const user = to?.local === undefined ? undefined : userOfLocal(to.local);
    if (to?.domain !== domain || (to.local !== undefined && user === undefined)) return "unknown";
    const iq = readIq(stanza);
    if (user === undefined && (to.resource !== undefined || !isForComponent(iq))) return "unknown";
    if (iq.what.kind === "ping" || iq.what.kind === "unknown" || iq.what.kind === "invalid") return "unknown";
    if (this.#answering >= mostAtOnce) {
      this.#send(stanza, { error: "resource-constraint", type: "wait" });
      return undefined;
    }
    const { matrixPeople } = this.#options;
    // Nobody but themselves changes what people are.
    const isForbidden = user !== undefined && type === "set";
    const answer = isForbidden
      ? Promise.resolve(unavailable)
      : user === undefined
        ? this.#component.answer(iq)
        : answerForUser({ user, isAccount: to.resource === undefined }, iq.what, matrixPeople);
    this.#answering += 1;
    void answer
      .catch((error: unknown): Answered => {
        this.#options.log.error({ err: error, from }, "A query could not be answered");
        return { error: "internal-server-error", type: "wait" };
      })
      .then((answered) => this.#send(stanza, answered ?? unavailable))
      .finally(() => (this.#answering -= 1));
    return undefined;
  }

  #send({ attrs: { from, to, id } }: Element, answered: Answered): void {
    const back = { from: to, to: from, id };
    const iq =
      "error" in answered
        ? xml("iq", { ...back, type: "error" }, errorElement(answered.type, answered.error, answered.text))
        : xml("iq", { ...back, type: "result" }, answered.result);
    void this.#options.stream.send(iq);
  }
}

/** Which rooms there are is for another part to say. */
function isForComponent({ what }: IqStanza): boolean {
  return what.kind !== "discoItems" || what.items.node !== undefined;
}
