import { ContentUri, RemoteMessageId, RemoteUserId, retry, type Outcome } from "@trestle/core";
import type { Block, RichText } from "@trestle/rich-text";
import { altered, type Broken } from "./broken.js";
import { text } from "./parlour-connector.js";

/** The promises, broken one at a time. */

const nothing = (): void => undefined;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const lost: readonly Broken[] = [
  {
    name: "says everything twice",
    caughtBy: "lost.conversation",
    words: /In an ordinary conversation, 3 of 3 messages reached the network more than once/,
    fault: {
      handlers: (right, { visit }) => ({
        message: async (effect) => {
          await visit.act(effect.channel, `${effect.effect} again`, (id) => ({
            kind: "message",
            id,
            text: text(effect.content),
          }));
          return right.message(effect);
        },
      }),
    },
  },
  {
    name: "wants a file of the homeserver's with each message, or drops it",
    caughtBy: "lost.homeserver-away",
    words: /After an outage of the homeserver, \d of 4 messages never reached Matrix/,
    fault: {
      take:
        (right, { network }) =>
        async (channel, happening) => {
          const missing = await network.openMedia(ContentUri("mxc://conformance.test/none")).then(
            () => "",
            (error: unknown) => String(error),
          );
          if (!missing.includes("did not answer")) await right(channel, happening);
        },
    },
  },
  {
    name: "acknowledges what it has not given to the core yet",
    caughtBy: "lost.crash-received",
    words: /acknowledge to the network only after it has resolved/,
    fault: {
      take: (right) => (channel, happening) => {
        void pause(40).then(() => right(channel, happening));
        return Promise.resolve();
      },
    },
  },
  {
    name: "drops messages while the network is away",
    caughtBy: "lost.network-away",
    words: /outage of the network.*\d of 3 messages never reached the network/,
    fault: {
      handlers: (right, { parlour }) => ({
        message: (effect) => (parlour.up ? right.message(effect) : Promise.resolve({})),
      }),
    },
  },
  {
    name: "answers before it has sent",
    caughtBy: "lost.crash-accepted",
    words: /must not resolve before the network has the message/,
    fault: {
      handlers: (right) => ({
        message: (effect) => {
          void pause(100).then(() => right.message(effect));
          return Promise.resolve({});
        },
      }),
    },
  },
  {
    name: "cuts long messages off",
    caughtBy: "lost.long",
    words: /reached the network incomplete.*words are missing/,
    fault: {
      handlers: (right) => ({
        split: ({ content }) => [text(content).slice(0, 400)],
        message: (effect) =>
          right.message({
            ...effect,
            content: {
              type: "text",
              style: "text",
              body: { blocks: [{ type: "paragraph", children: [{ type: "text", text: String(effect.wire) }] }] },
            },
          }),
      }),
    },
  },
  {
    name: "takes no more part after an outage",
    caughtBy: "lost.history",
    words: /people went on talking.*never reached Matrix/,
    fault: {
      take: (right, { parlour }) => {
        let wasAway = false;
        return (channel, happening) => {
          wasAway ||= !parlour.up;
          return wasAway || heardOutage.has(parlour) ? Promise.resolve() : right(channel, happening);
        };
      },
      lost: ({ parlour, network }) => {
        heardOutage.add(parlour);
        network.report({ connection: "parlour", state: "waiting" });
      },
    },
  },
  {
    name: "forgets what was on its way when the connection broke off",
    caughtBy: "lost.broken-off",
    words: /broke off in the middle of a conversation, \d+ of 12 messages never reached the network/,
    fault: {
      handlers: (right) => ({
        message: async (effect) => {
          const outcome = await right.message(effect);
          return outcome && "failed" in outcome ? {} : outcome;
        },
      }),
    },
  },
  {
    name: "takes no part in what was said before it came",
    caughtBy: "lost.bridge-away",
    words: /stopped and started again, \d of 3 messages never reached Matrix/,
    fault: {
      take: (right) => {
        const born = performance.now();
        return (channel, happening) => (performance.now() - born < 30 ? Promise.resolve() : right(channel, happening));
      },
    },
  },
  {
    name: "reads the first words alone",
    caughtBy: "lost.long-back",
    words: /words did not reach Matrix/,
    fault: {
      take: (right) => (channel, happening) =>
        right(channel, happening.kind === "said" ? { ...happening, text: happening.text.slice(0, 100) } : happening),
    },
  },
];
const heardOutage = new WeakSet<object>();

const twice: readonly Broken[] = [
  {
    name: "gives a message another id each time",
    caughtBy: "twice.replay",
    words: /reached Matrix more than once.*same id whenever it is received/s,
    fault: { take: altered((event) => ({ ...event, id: RemoteMessageId(`${event.id} ${Math.random()}`) })) },
  },
  {
    name: "says that it never sent anything",
    caughtBy: "twice.crash-unanswered",
    words: /reached the network more than once.*`findSent`/s,
    fault: { handlers: () => ({ findSent: () => Promise.resolve(null) }) },
  },
  {
    name: "claims to be idempotent and is not",
    caughtBy: "twice.slow",
    words: /tried again, 1 of 1 messages reached the network more than once/,
    fault: { handlers: () => ({ idempotent: true }) },
  },
  {
    name: "receives what it has sent",
    caughtBy: "twice.echo",
    words: /What was said on Matrix came back from the network/,
    fault: {
      take: (right) => (channel, happening) =>
        right(channel, "bridge" in happening ? { ...happening, bridge: false } : happening),
    },
  },
  {
    name: "calls people something else at each start",
    caughtBy: "twice.person",
    words: /One person of the network is two people on Matrix after a restart/,
    fault: {
      take: (_right, session) => {
        const life = String(Math.random());
        return altered((event) =>
          event.kind === "message" ? { ...event, sender: { id: RemoteUserId(event.sender.id + life) } } : event,
        )(_right, session);
      },
    },
  },
];

const order: readonly Broken[] = [
  {
    name: "sends messages side by side",
    caughtBy: "order.burst",
    words: /messages reached the network in another order/,
    fault: {
      handlers: (right) => ({
        message: (effect) => {
          void pause(Math.random() * 60).then(() => right.message(effect));
          return Promise.resolve({ id: RemoteMessageId(effect.effect) });
        },
      }),
    },
  },
  {
    name: "lets a queue of its own delay messages, but not reactions",
    caughtBy: "order.kinds",
    words: /On the network it was: .*, a second message/,
    fault: {
      handlers: (right) => {
        let queue = Promise.resolve();
        return {
          message: (effect) => {
            queue = queue
              .then(() => pause(40))
              .then(() => right.message(effect))
              .then(nothing);
            return Promise.resolve({ id: RemoteMessageId(effect.effect) });
          },
        };
      },
    },
  },
  {
    name: "receives messages side by side",
    caughtBy: "order.burst",
    words: /messages reached Matrix in another order/,
    fault: {
      take: (right) => (channel, happening) => {
        void pause(Math.random() * 60).then(() => right(channel, happening));
        return Promise.resolve();
      },
    },
  },
  {
    name: "has one lock for all channels",
    caughtBy: "order.rooms",
    words: /While one channel of the network did not answer, messages to another did not arrive/,
    fault: {
      handlers: (right) => {
        let queue: Promise<Outcome> = Promise.resolve(undefined);
        return { message: (effect) => (queue = queue.then(() => right.message(effect))) };
      },
    },
  },
];

const silent: readonly Broken[] = [
  {
    name: "keeps to itself that the network refused",
    caughtBy: "silent.refused",
    words: /refused a message for good, and the bridge kept no dead letter/,
    fault: {
      handlers: (right) => ({
        message: async (effect) => {
          const outcome = await right.message(effect);
          return outcome && "failed" in outcome && outcome.failed === "permanent" ? {} : outcome;
        },
      }),
    },
  },
  {
    name: "tries for ever what the network refuses",
    caughtBy: "silent.refused",
    words: /kept no dead letter/,
    fault: {
      handlers: (right) => ({
        message: async (effect) => {
          const outcome = await right.message(effect);
          return outcome && "failed" in outcome ? retry(outcome.reason) : outcome;
        },
      }),
    },
  },
  {
    name: "does not say that the network is away",
    caughtBy: "silent.outage",
    words: /still reported every connection as connected/,
    fault: { lost: nothing },
  },
  {
    name: "never says that it is connected",
    caughtBy: "silent.outage",
    words: /no connection is reported as connected/,
    fault: { back: nothing, lost: nothing },
  },
  {
    name: "stays when it is stopped",
    caughtBy: "silent.stop",
    words: /still on the network/,
    fault: { handlers: () => ({ close: () => Promise.resolve() }) },
  },
];

const belong: readonly Broken[] = [
  {
    name: "looks for a server's name in the ids of rooms",
    caughtBy: "belong.room-12",
    words: /Not one message from Matrix reached the network in hall.*a room without a server/s,
    fault: {
      handlers: (right) => ({
        message: (effect) => {
          if (!effect.room.includes(":")) throw new Error("planted: a room without a server");
          return right.message(effect);
        },
      }),
    },
  },
  {
    name: "sends more than the network takes",
    caughtBy: "belong.hostile",
    words: /what the network's rules do not allow: a text of \d+ bytes/,
    fault: { handlers: () => ({ limits: {} }) },
  },
  {
    name: "throws at names it does not like",
    caughtBy: "belong.authors",
    words: /odd names and ids.*never reached the network.*cannot be shown/s,
    fault: {
      handlers: (right) => ({
        message: (effect) => {
          if (!/^\w+$/.test(effect.author.name))
            throw new Error(`${JSON.stringify(effect.author.name)} cannot be shown`);
          return right.message(effect);
        },
      }),
    },
  },
  {
    name: "does not tell upper from lower case",
    caughtBy: "belong.people",
    words: /Two people of the network, "Ann" and "ann", are one on Matrix/,
    fault: {
      take: altered((event) =>
        event.kind === "message" ? { ...event, sender: { id: RemoteUserId(event.sender.id.toLowerCase()) } } : event,
      ),
    },
  },
  {
    name: "says everything everywhere",
    caughtBy: "belong.places",
    words: /said in one channel was read in another/,
    fault: {
      handlers: (right, { visit }) => ({
        message: async (effect) => {
          const other = effect.channel === "hall" ? "garden" : "hall";
          await visit.act(other, `${effect.effect} again`, (id) => ({
            kind: "message",
            id,
            text: text(effect.content),
          }));
          return right.message(effect);
        },
      }),
    },
  },
  {
    name: "lets a stranger call somebody",
    caughtBy: "belong.hostile-back",
    words: /mentions somebody whom its text does not name/,
    fault: {
      take: altered((event) =>
        event.kind === "message" && event.content.type === "text"
          ? { ...event, content: { ...event.content, body: calling(event.content.body) } }
          : event,
      ),
    },
  },
];

function calling(body: RichText): RichText {
  const call: Block = {
    type: "paragraph",
    children: [{ type: "mention", target: { kind: "matrixUser", userId: "@alice:conformance.test" }, text: "you" }],
  };
  return { blocks: [call, ...body.blocks] };
}

export const brokenConnectors: readonly Broken[] = [...lost, ...twice, ...order, ...silent, ...belong];
