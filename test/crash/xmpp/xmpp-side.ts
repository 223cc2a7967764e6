import { xml, type XmppElement } from "@xmpp/component";
import type { Random } from "../../tools/random.js";
import type { Reaction, Utterance } from "./book.js";
import { nextDeed } from "./deeds.js";
import type { RoomMessage } from "./room-message.js";
import { markIn, textOf } from "./words.js";
import type { Place } from "./world.js";

const hints = "urn:xmpp:hints";

/** The people on XMPP in one place. They act on what the room has shown to them. */
export class XmppSide {
  #messages = 0;

  constructor(
    private readonly place: Place,
    private readonly random: Random,
  ) {}

  /** Somebody does something, where they are in the room. Whether the room took it, its archive says. */
  async act(): Promise<void> {
    const deed = nextDeed(this.random, this.place.book, "xmpp");
    if (deed.do === "say") this.#say(undefined);
    else if (deed.do === "answer") this.#say(deed.target);
    else if (deed.do === "edit") this.#edit(deed.target);
    else if (deed.do === "delete") this.#retract(deed.target);
    else if (deed.do === "unreact") this.#unreact(deed.reaction);
    else this.#react(deed.target, deed.key);
    await this.place.speakers.heard?.();
  }

  #say(answers: Utterance | undefined): void {
    const { book, channel, speakers, number: place } = this.place;
    const target = answers && this.#find(answers);
    if (answers && target?.id === undefined) return;
    const who = this.random.pick(this.place.speakers.nicks);
    if (answers) answers.pinned = true;
    const number = ++this.#messages;
    const text = textOf(this.random, "xmpp", place, number, 0);
    const body = (answers === undefined && this.random.chance(0.15) ? "/me " : "") + text;
    const reply = target && quoting(speakers.addressOf(channel, target.nick), target, body);
    const handle = this.place.speakers.say(channel, who, ...(reply ?? [xml("body", {}, body)]));
    if (handle === undefined) return;
    const what = { id: `x${place}-${number}`, side: "xmpp", number, at: Date.now(), who, handle, answers } as const;
    book.utterances.push({ ...what, version: 0, deleted: false, pinned: false });
  }

  /** Always by the id of the first form (XEP-0308). */
  #edit(target: Utterance): void {
    const { channel, number } = this.place;
    if (!this.#find(target)) return;
    const body = textOf(this.random, "xmpp", number, target.number, target.version + 1);
    const replace = xml("replace", { xmlns: "urn:xmpp:message-correct:0", id: target.handle });
    if (this.place.speakers.say(channel, target.who, xml("body", {}, body), replace) !== undefined) target.version += 1;
  }

  #retract(target: Utterance): void {
    const shown = this.#find(target);
    if (shown?.id === undefined) return;
    const sent = this.place.speakers.say(
      this.place.channel,
      target.who,
      xml("retract", { xmlns: "urn:xmpp:message-retract:1", id: shown.id }),
      xml("fallback", { xmlns: "urn:xmpp:fallback:0", for: "urn:xmpp:message-retract:1" }),
      xml("body", {}, "/me retracted a previous message"),
      xml("store", { xmlns: hints }),
    );
    if (sent !== undefined) target.deleted = true;
  }

  #react(target: Utterance, key: string): void {
    const { book } = this.place;
    const who = this.random.pick(this.place.speakers.nicks);
    if (!this.#find(target) || book.hasReacted(target, who, key) || !this.place.speakers.isIn(this.place.channel, who))
      return;
    target.pinned = true;
    const at = Date.now();
    book.reactions.push({ side: "xmpp", target, who, key, at, handle: undefined, taken: false });
    this.#sendReactions(target, who);
  }

  #unreact(reaction: Reaction): void {
    const { target, who } = reaction;
    if (!this.#find(target) || !this.place.speakers.isIn(this.place.channel, who)) return;
    reaction.taken = true;
    this.#sendReactions(target, who);
  }

  /** Everything that they react with (XEP-0444). */
  #sendReactions(target: Utterance, who: string): void {
    const { book, channel } = this.place;
    const keys = book.reactions
      .filter((each) => each.target === target && each.who === who && !each.taken)
      .map(({ key }) => xml("reaction", {}, key));
    const { id } = this.#find(target) ?? {};
    const reactions = xml("reactions", { xmlns: "urn:xmpp:reactions:0", id }, ...keys);
    this.place.speakers.say(channel, who, reactions, xml("store", { xmlns: hints }));
  }

  /** A message in its first form; `undefined` while the room has not shown it. */
  #find({ id, side, handle }: Utterance): RoomMessage | undefined {
    return this.place.speakers
      .shownIn(this.place.channel)
      .findLast(({ body = "", replaces, ownId }) =>
        side === "xmpp" ? ownId === handle : replaces === undefined && markIn(body)?.id === id,
      );
  }
}

/** An answer, with what it answers quoted for those who know no replies (XEP-0461). */
function quoting(to: string, { id, body = "" }: RoomMessage, text: string): readonly XmppElement[] {
  const quotation = `> ${body.replaceAll("\n", "\n> ")}\n`;
  const range = xml("body", { start: "0", end: String(Array.from(quotation).length) });
  return [
    xml("body", {}, quotation + text),
    xml("reply", { xmlns: "urn:xmpp:reply:0", to, id }),
    xml("fallback", { xmlns: "urn:xmpp:fallback:0", for: "urn:xmpp:reply:0" }, range),
  ];
}
