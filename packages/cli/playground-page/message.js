import { act, element } from "./api.js";
import { network } from "./network.js";
import { nodesOfHtml, nodesOfIrc } from "./rich-text.js";

const REACTIONS = ["👍", "❤️", "🎉"];
/** With or without a variation selector it is the same emoji. */
const plainEmoji = (key) => key.replaceAll("\uFE0F", "");
const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});

/** One line of a log of `room`, which is told when a person wants to edit it or to answer in its thread. */
export function renderItem(room, item) {
  const { side } = room;
  if (item.kind === "happening") {
    return element("li", { className: "happening" }, element("span", {}, item.text), time(item.at));
  }
  const inThread = item.thread === undefined ? "" : "in-thread";
  const row = element("li", { className: `message ${item.own ? "own" : ""} is-${item.style} ${inThread}` });
  if (item.thread !== undefined) row.append(threadMark(room, item.thread));
  row.append(head(side, item), text(room, item));
  if (!item.deleted && item.reactions.length > 0) row.append(reactions(side, item));
  if (!item.deleted) row.append(tools(room, item));
  return row;
}

/** What the thread is about, as far as that is to be seen here. */
function threadMark(room, thread) {
  const root = room.messageOf(thread);
  if (root === undefined) return element("p", { className: "thread" }, "↳ a thread");
  const said = root.deleted ? ["deleted"] : nodesOf(room.side, root);
  return element("p", { className: "thread" }, `↳ ${root.from.name}: `, ...said);
}

function head(side, item) {
  const origin = originOf(side, item);
  return element(
    "p",
    { className: "head" },
    element("span", { className: "name" }, item.from.name),
    origin === null
      ? null
      : element("span", { className: `origin ${origin}` }, `from ${origin === "network" ? network.name : "Matrix"}`),
    item.style === "notice" ? element("span", { className: "origin" }, "notice") : null,
    time(item.at),
  );
}

/** Where somebody really is, if not here. */
function originOf(side, { from: { id }, relayed = false }) {
  if (side === "matrix") return id.startsWith(`@${network.prefix}`) ? "network" : null;
  return relayed || (network.markup === "irc" && id.endsWith("[m]")) ? "matrix" : null;
}

function text(room, item) {
  const { side } = room;
  if (item.deleted) return element("p", { className: "said deleted" }, "deleted");
  const nodes = nodesOf(side, item);
  const shown = element(
    "div",
    { className: "said" },
    ...(item.style === "emote" ? [`${item.from.name} `, ...nodes] : nodes),
  );
  if (item.edited) shown.append(" ", element("span", { className: "mark" }, "edited"));
  if (item.own && mayEdit(side)) {
    shown.classList.add("editable");
    shown.title = "Click to edit";
    shown.addEventListener("click", (event) => {
      if (event.target.closest("a") === null && String(window.getSelection()) === "") room.edit(item);
    });
  }
  return shown;
}

const mayEdit = (side) => side === "matrix" || network.edits;

function nodesOf(side, { text: plain, html }) {
  if (html !== undefined) return nodesOfHtml(html);
  return side === "network" && network.markup === "irc" ? nodesOfIrc(plain) : [plain];
}

/** What one may do with a message. */
function tools(room, item) {
  const { side } = room;
  const [reacts, deletes] = side === "matrix" ? [true, true] : [network.reacts, network.deletes];
  const left = reacts
    ? REACTIONS.filter((key) => !item.reactions.some((reaction) => plainEmoji(reaction.key) === plainEmoji(key)))
    : [];
  return element(
    "div",
    { className: "tools" },
    ...left.map((key) => reactionButton({ side, item, key }, key, false)),
    network.threads ? tool("Reply", () => room.answer(item)) : null,
    item.own && mayEdit(side) ? tool("Edit", () => room.edit(item)) : null,
    item.own && deletes ? tool("Delete", () => act("remove", { side, id: item.id })) : null,
  );
}

function reactionButton({ side, item, key }, label, own) {
  return element(
    "button",
    {
      type: "button",
      className: "reaction",
      "aria-pressed": String(own),
      "aria-label": `React with ${key} to the message of ${item.from.name}`,
      onclick: () => act("react", { side, id: item.id, key }),
    },
    label,
  );
}

function tool(label, onclick) {
  return element("button", { type: "button", className: "quiet", onclick }, label);
}

function reactions(side, item) {
  const shown = item.reactions.map(({ key, count, own }) =>
    reactionButton({ side, item, key }, `${key} ${count}`, own),
  );
  return element("div", { className: "reactions" }, ...shown);
}

function time(at) {
  const date = new Date(at);
  return element("time", { dateTime: date.toISOString() }, clock.format(date));
}
