import { RemoteMessageId, type NetworkHandlers, type Outcome } from "@trestle/core";
import { altered, type Broken } from "./broken.js";
import type { Parlour } from "./parlour.js";
import { text, type Fault, type Session } from "./parlour-connector.js";

/** What a connector forgets, or does anew, when it dies or starts again. */

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const channels = ["hall", "garden"] as const;

export const brokenLives: readonly Broken[] = [
  {
    name: "says one message late, and believes that it said whatever is in doubt",
    caughtBy: "lost.crash-load",
    words: /killed 3 times while people talked on both sides, \d+ of 30 messages never reached the network/,
    fault: {
      handlers: (right) => ({
        message: oneLate(right),
        findSent: ({ effect }) => Promise.resolve({ id: RemoteMessageId(effect) }),
      }),
    },
  },
  {
    name: "remembers what it has sent in its memory alone",
    caughtBy: "twice.crash-sending",
    words: /killed while it was sending to the network, \d of 8 messages reached the network more than once/,
    fault: {
      handlers: (right) => {
        const sent = new Map<string, Outcome>();
        return {
          message: async (effect) => {
            const outcome = await right.message(effect);
            sent.set(effect.effect, outcome);
            // Killed before anybody is told.
            await pause(250);
            return outcome;
          },
          findSent: ({ effect }) => {
            const outcome = sent.get(effect);
            return Promise.resolve(outcome && !("failed" in outcome) ? outcome : null);
          },
        };
      },
    },
  },
  {
    name: "keeps the parts of a message to itself until the last has come",
    caughtBy: "twice.crash-parts",
    words: /killed between two parts of a long message.*\d+ of \d+ messages never reached the network/,
    fault: { handlers: (right, session) => ({ message: atOnce(right, session) }) },
  },
  {
    name: "numbers what it hears anew where it has not stopped in good order",
    caughtBy: "twice.crash-bridging",
    words: /killed while it was sending to the homeserver, \d of 5 messages reached Matrix more than once/,
    fault: numbering((parlour) => !stoppedWell.delete(parlour)),
  },
  {
    name: "reads the history at each start, under other ids",
    caughtBy: "twice.restart",
    words: /After an orderly restart of the bridge, \d of 3 messages reached Matrix more than once/,
    fault: numbering(() => true),
  },
];

/** Each message is sent when the next one comes, or half a second later. */
function oneLate(right: NetworkHandlers): NetworkHandlers["message"] {
  const held = new Map<string, () => Promise<unknown>>();
  return async (effect) => {
    await held.get(effect.channel)?.();
    let sent: Promise<Outcome> | undefined;
    const send = (): Promise<Outcome> => (sent ??= right.message(effect));
    held.set(effect.channel, send);
    void pause(500).then(send);
    return { id: RemoteMessageId(effect.effect) };
  };
}

function atOnce(right: NetworkHandlers, { visit }: Session): NetworkHandlers["message"] {
  const kept: string[] = [];
  return async (effect) => {
    if (effect.parts === 1) return right.message(effect);
    kept.push(text(effect.content));
    if (effect.part < effect.parts - 1) return { id: RemoteMessageId(effect.effect) };
    for (const [part, words] of kept.splice(0).entries()) {
      await visit.act(effect.channel, `${effect.event} ${part}`, (id) => ({ kind: "message", id, text: words }));
      await pause(20);
    }
    return { id: RemoteMessageId(effect.effect) };
  };
}

const stoppedWell = new WeakSet<Parlour>();
const lives = new WeakMap<Parlour, string>();

/** Has the network tell everything again at each start, and gives it other ids where `anew`. */
function numbering(anew: (parlour: Parlour) => boolean): Fault {
  return {
    take: (right, session) => {
      const { parlour } = session;
      const life = anew(parlour) ? String(Math.random()) : (lives.get(parlour) ?? "");
      lives.set(parlour, life);
      return altered((event) => ({ ...event, id: RemoteMessageId(`${event.id} ${life}`) }))(right, session);
    },
    back: ({ parlour, network }) => {
      network.report({ connection: "parlour", state: "connected" });
      for (const channel of channels) void parlour.replay(channel);
    },
    handlers: (right, { parlour }) => ({
      close: async () => {
        stoppedWell.add(parlour);
        await right.close?.();
      },
    }),
  };
}
