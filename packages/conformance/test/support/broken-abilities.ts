import { appendFileSync } from "node:fs";
import { join } from "node:path";
import type { EditEffect, NetworkHandlers, Outcome, RedactEffect } from "@trestle/core";
import { altered, type Broken } from "./broken.js";
import type { Happening } from "./parlour.js";
import { eventOf, text, type Fault } from "./parlour-connector.js";

/** What a connector can do, done wrong. */
export const brokenAbilities: readonly Broken[] = [
  {
    name: "corrects the first part alone",
    caughtBy: "can.edit-parts",
    words: /corrected to a short one; \d+ of its \d+ words are still there/,
    fault: {
      handlers: (right) => ({ edit: (effect) => edited(right, { ...effect, target: effect.target.slice(0, 1) }) }),
    },
  },
  {
    name: "says a correction once more",
    caughtBy: "can.edit",
    words: /the old one still stands/,
    fault: {
      handlers: (_right, session) => ({
        edit: (effect) => session.act(effect, (id) => ({ kind: "message", id, text: text(effect.content) })),
      }),
    },
  },
  {
    name: "removes the first part alone",
    caughtBy: "can.redact-parts",
    words: /was removed on Matrix; \d+ of its \d+ words are still on the network/,
    fault: {
      handlers: (right) => ({ redact: (effect) => redacted(right, { ...effect, target: effect.target.slice(0, 1) }) }),
    },
  },
  {
    name: "removes nothing",
    caughtBy: "can.redact",
    words: /removed on Matrix; on the network it still stands/,
    fault: { handlers: () => ({ redact: () => Promise.resolve({}) }) },
  },
  {
    name: "reacts to the latest message",
    caughtBy: "can.react",
    words: /was put on latest/,
    fault: {
      handlers: (_right, session) => ({
        react: (effect) => session.act(effect, () => ({ kind: "reaction", target: "latest", key: effect.key })),
      }),
    },
  },
  {
    name: "never takes a reaction back",
    caughtBy: "can.react",
    words: /taken back on Matrix and still stands/,
    fault: { handlers: () => ({ unreact: () => Promise.resolve({}) }) },
  },
  {
    name: "receives the topic that it set",
    caughtBy: "can.change",
    words: /set (again and again|once more)/,
    fault: {
      take:
        (right, { network }) =>
        async (channel, happening) => {
          if (happening.kind !== "topic" || !happening.bridge) return right(channel, happening);
          const event = eventOf(channel, { ...happening, bridge: false });
          // What differs by a blank is not what the room has already.
          if (event?.kind === "channel") await network.receive({ ...event, topic: `${event.topic ?? ""} ` });
        },
    },
  },
  {
    name: "passes no picture on",
    caughtBy: "can.picture",
    words: /on the network it was seen 0 times/,
    fault: { handlers: () => ({ picture: () => Promise.resolve({}) }) },
  },
  {
    name: "receives the picture that it set",
    caughtBy: "can.picture",
    words: /came back from the network and was set once more/,
    fault: {
      take: (right) => (channel, happening) =>
        right(channel, happening.kind === "picture" ? { ...happening, bridge: false } : happening),
    },
  },
  {
    name: "does not hear of pictures",
    caughtBy: "can.picture-back",
    words: /gave the channel a picture; the room on Matrix has none/,
    fault: { take: deafTo("picture") },
  },
  {
    name: "gives the room another picture than the channel's",
    caughtBy: "can.picture-back",
    words: /gave the channel a picture; the room on Matrix has another one/,
    fault: {
      take: (right) => (channel, happening) =>
        right(
          channel,
          happening.kind === "picture" ? { ...happening, image: happening.image.subarray(0, 40) } : happening,
        ),
    },
  },
  {
    name: "receives a correction as a message",
    caughtBy: "can.edit-back",
    words: /corrected a message; on Matrix it is a new message/,
    fault: {
      take: altered((event) =>
        event.kind === "edit"
          ? { kind: "message", id: event.id, channel: event.channel, sender: event.sender, content: event.content }
          : event,
      ),
    },
  },
  {
    name: "does not open files",
    caughtBy: "can.file-back",
    words: /showed a file; on Matrix it is missing/,
    fault: { handlers: () => ({ openMedia: () => Promise.resolve({ stream: failing(), mimeType: "text/plain" }) }) },
  },
  {
    name: "signs everybody in",
    caughtBy: "can.login",
    words: /Wrong credentials signed a Matrix user in/,
    fault: {
      handlers: () => ({
        login: async (dialogue) => ({
          name: "x",
          secret: await dialogue.ask([
            { id: "n", type: "text", label: "n" },
            { id: "p", type: "password", label: "p" },
          ]),
        }),
      }),
    },
  },
  {
    name: "writes secrets into a file",
    caughtBy: "can.login",
    words: /The secret lies readable in the bridge's file notes/,
    fault: {
      handlers: (_right, { network, parlour }) => ({
        login: async (dialogue) => {
          const { n, p } = await dialogue.ask([
            { id: "n", type: "text", label: "n" },
            { id: "p", type: "password", label: "p" },
          ]);
          if (!parlour.signIn(n, p)) throw new Error("wrong");
          appendFileSync(join(network.bridge.dataDirectory, "notes"), p);
          return { name: n, secret: {} };
        },
      }),
    },
  },
  {
    name: "asks for a secret as for any word",
    caughtBy: "can.login",
    words: /The secret that was typed still stands in the chat/,
    fault: {
      handlers: (_right, { parlour }) => ({
        login: async (dialogue) => {
          const { n, p } = await dialogue.ask([
            { id: "n", type: "text", label: "n" },
            { id: "p", type: "text", label: "p" },
          ]);
          if (!parlour.signIn(n, p)) throw new Error("wrong");
          return { name: n, secret: { p } };
        },
      }),
    },
  },
  {
    name: "drops actions",
    caughtBy: "can.emote",
    words: /An action \(\/me\) on Matrix did not reach the network/,
    fault: {
      handlers: (right) => ({
        message: (effect) =>
          effect.content.type === "text" && effect.content.style === "emote"
            ? Promise.resolve({})
            : right.message(effect),
      }),
    },
  },
  {
    name: "says that it takes files and does not",
    caughtBy: "can.file",
    words: /A file of \d+ bytes on Matrix is missing on the network/,
    fault: { handlers: () => ({ limits: { textBytes: 400, media: true } }) },
  },
  {
    name: "says that it knows replies and does not",
    caughtBy: "can.reply",
    words: /was shown as one to nothing/,
    fault: { handlers: () => ({ limits: { textBytes: 400, replies: true } }) },
  },
  {
    name: "does not hear corrections",
    caughtBy: "order.kinds-back",
    words: /Matrix shows them at .*"-1"/,
    fault: { take: deafTo("edited") },
  },
  {
    name: "does not hear removals",
    caughtBy: "can.redact-back",
    words: /took back a message, and it still stands on Matrix/,
    fault: { take: deafTo("removed") },
  },
  {
    name: "does not hear reactions",
    caughtBy: "can.react-back",
    words: /reacted to a message, and Matrix shows nothing/,
    fault: { take: deafTo("reacted") },
  },
  {
    name: "does not hear that a reaction is taken back",
    caughtBy: "can.react-back",
    words: /took back a reaction, and it still stands on Matrix/,
    fault: { take: deafTo("unreacted") },
  },
  {
    name: "does not hear of topics",
    caughtBy: "can.topic-back",
    words: /set the topic, and the room on Matrix has the old one/,
    fault: { take: deafTo("topic") },
  },
  {
    name: "receives actions as messages",
    caughtBy: "can.emote-back",
    words: /on Matrix it is an ordinary message/,
    fault: {
      take: (right) => (channel, happening) =>
        right(channel, "emote" in happening ? { ...happening, emote: false } : happening),
    },
  },
  {
    name: "cannot sign anybody out",
    caughtBy: "can.login-stays",
    words: /could not sign out/,
    fault: { handlers: () => ({ logout: () => Promise.reject(new Error("planted: no way out")) }) },
  },
];

function failing(): never {
  throw new Error("planted: the file does not open");
}

function deafTo(kind: Happening["kind"]): NonNullable<Fault["take"]> {
  return (right) => (channel, happening) => (happening.kind === kind ? Promise.resolve() : right(channel, happening));
}

function edited(right: NetworkHandlers, effect: EditEffect): Promise<Outcome> {
  return right.edit?.(effect) ?? Promise.resolve({});
}

function redacted(right: NetworkHandlers, effect: RedactEffect): Promise<Outcome> {
  return right.redact?.(effect) ?? Promise.resolve({});
}
