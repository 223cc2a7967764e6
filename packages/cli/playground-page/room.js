import { act, element } from "./api.js";
import { renderItem } from "./message.js";
import { network, placeName } from "./network.js";
import { htmlOfTyped, ircOfTyped } from "./rich-text.js";

const MOST_LINES = 400;

/** One side of the page. */
export class Room {
  #rows = new Map();
  #editing = null;
  #thread = null;
  #friend = "carol";
  #hasTopic = true;
  atEnd = true;

  constructor(side) {
    this.side = side;
    this.root = document.getElementById(side);
    this.log = this.#part("log");
    this.input = this.root.querySelector("textarea");
    const form = this.#part("composer");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#send();
    });
    this.input.addEventListener("keydown", (event) => this.#key(event));
    this.input.addEventListener("input", () => this.#fit());
    this.log.addEventListener("scroll", () => {
      this.atEnd = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 80;
    });
    new window.ResizeObserver(() => this.#follow()).observe(this.log);
    this.#part("cancel").addEventListener("click", () => this.#stopDoing());
  }

  set name(name) {
    this.#part("name").textContent = name;
  }

  /** The network this side shows, where it is not Matrix. */
  set network({ person, friend, hasTopic }) {
    this.#friend = friend;
    this.#hasTopic = hasTopic;
    this.#part("label").textContent = `Message to the ${placeName()}, as ${person}`;
    this.input.placeholder = `Write as ${person}`;
  }

  /** Shows everything anew. */
  reset({ items, members, topic, friendHere }) {
    this.#rows.clear();
    this.log.replaceChildren();
    for (const item of items) this.put(item);
    this.setPeople(members, friendHere);
    this.setTopic(topic);
    this.atEnd = true;
    this.#follow();
  }

  /** Adds an item, or shows it as it is now. */
  put(item) {
    const row = renderItem(this, item);
    const known = this.#rows.get(item.id)?.row;
    this.#rows.set(item.id, { row, item });
    row.dataset.author = item.kind === "message" ? `${item.from.id} ${item.from.name}` : "";
    if (known === undefined) this.log.append(row);
    else this.#replace(known, row);
    const before = row.previousElementSibling?.dataset.author;
    const follows = row.dataset.author !== "" && before === row.dataset.author && item.thread === undefined;
    row.classList.toggle("follows", follows);
    for (const [id, { row: oldest }] of this.#rows) {
      if (this.#rows.size <= MOST_LINES) break;
      oldest.remove();
      this.#rows.delete(id);
    }
    this.#follow();
  }

  setPeople(members, friendHere) {
    const friend = this.#friend;
    if (members.length === 0 && friend === null) return;
    const names = members.map(({ name }) => name).join(", ");
    const label = friendHere ? `Let ${friend} leave` : `Let ${friend} join`;
    const toggle = () => act("friend", { side: this.side, here: !friendHere });
    this.#part("people").replaceChildren(
      element("span", {}, `${members.length} here: ${names}`),
      friend === null ? "" : element("button", { type: "button", className: "quiet", onclick: toggle }, label),
    );
  }

  setTopic(topic) {
    const change = element(
      "button",
      { type: "button", className: "quiet", onclick: () => this.#askTopic(topic) },
      "Change",
    );
    change.setAttribute("aria-label", "Change the topic");
    const shown = element("p", {}, topic === "" ? "No topic" : topic);
    this.#part("topic").replaceChildren(shown, ...(this.#hasTopic ? [change] : []));
  }

  /** While many messages come at once a screen reader is not to read each of them. */
  set busy(busy) {
    this.log.setAttribute("aria-live", busy ? "off" : "polite");
  }

  /** Keeps the newest line in view of one who has not scrolled back. */
  #follow() {
    if (this.atEnd) this.log.scrollTop = this.log.scrollHeight;
  }

  #replace(known, row) {
    const hadFocus = known.contains(document.activeElement);
    known.replaceWith(row);
    if (hadFocus) row.querySelector("button")?.focus();
  }

  #askTopic(topic) {
    const input = element("input", { value: topic, maxLength: 300 });
    input.setAttribute("aria-label", "Topic");
    const form = element(
      "form",
      {
        onsubmit: (event) => {
          event.preventDefault();
          void act("topic", { side: this.side, topic: input.value });
          this.setTopic(topic);
        },
        onkeydown: (event) => {
          if (event.key === "Escape") this.setTopic(topic);
        },
      },
      input,
      element("button", { className: "quiet" }, "Set"),
    );
    this.#part("topic").replaceChildren(form);
    input.select();
  }

  #key(event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      void this.#send();
    } else if (event.key === "Escape") {
      this.#stopDoing();
    }
  }

  async #send() {
    const typed = this.input.value.trim();
    if (typed === "") return;
    this.input.value = "";
    this.#fit();
    const [editing, thread] = [this.#editing, this.#thread];
    this.#stopDoing();
    const sent =
      editing === null
        ? await this.#say(typed, thread ?? undefined)
        : await act("edit", { side: this.side, id: editing, text: typed, html: htmlOfTyped(typed) });
    if (!sent && this.input.value === "") this.input.value = typed;
  }

  async #say(typed, thread) {
    const emote = typed.startsWith("/me ");
    const text = emote ? typed.slice(4) : typed;
    if (this.side === "matrix") return act("say", { side: "matrix", text, html: htmlOfTyped(text), emote, thread });
    if (network.markup === "slack") return act("say", { side: "network", text, emote, thread });
    for (const line of text.split("\n").filter((part) => part.trim() !== "")) {
      if (!(await act("say", { side: "network", text: network.markup === "irc" ? ircOfTyped(line) : line, emote })))
        return false;
    }
    return true;
  }

  /** Puts a message into the composer, to be corrected. */
  edit(message) {
    this.#editing = message.id;
    this.#thread = null;
    this.#begin("Editing your message", message.text);
  }

  /** Lets what is typed next go to the thread of a message. */
  answer(message) {
    this.#editing = null;
    this.#thread = message.thread ?? message.id;
    this.#begin(`Replying in the thread of ${message.from.name}`, "");
  }

  /** A message that is still shown. */
  messageOf(id) {
    const item = this.#rows.get(id)?.item;
    return item?.kind === "message" ? item : undefined;
  }

  #begin(doing, text) {
    this.#part("doing").textContent = doing;
    this.#part("editing").hidden = false;
    this.input.value = text;
    this.#fit();
    this.input.focus();
  }

  #stopDoing() {
    if (this.#editing === null && this.#thread === null) return;
    this.#editing = null;
    this.#thread = null;
    this.#part("editing").hidden = true;
    this.input.value = "";
    this.#fit();
  }

  #fit() {
    this.input.style.height = "auto";
    this.input.style.height = `${Math.min(this.input.scrollHeight + 2, 140)}px`;
  }

  #part(name) {
    return this.root.querySelector(`[data-part=${name}]`);
  }
}
