import { RemoteMessageId, RemoteUserId } from "@trestle/core";
import type { Broken } from "./broken.js";
import { eventOf, say } from "./parlour-connector.js";

/** What is true for a moment, and who speaks, done wrong. */
export const brokenSignals: readonly Broken[] = [
  {
    name: "does not show that anybody types",
    caughtBy: "can.typing",
    words: /typed on Matrix, and nobody on the network saw it/,
    fault: { handlers: () => ({ typing: () => Promise.resolve() }) },
  },
  {
    name: "shows that somebody types and never that nobody does",
    caughtBy: "can.typing",
    words: /stopped typing on Matrix; on the network they type for ever/,
    fault: {
      handlers: (right) => ({
        typing: async (signal) => {
          if (signal.authors.length > 0) await right.typing?.(signal);
        },
      }),
    },
  },
  {
    name: "shows everywhere that somebody types",
    caughtBy: "can.typing",
    words: /seen typing in another channel as well/,
    fault: {
      handlers: (_right, { visit }) => ({
        typing: ({ authors }) => {
          for (const channel of ["hall", "garden"]) {
            visit.type(
              channel,
              authors.map(({ name }) => name),
            );
          }
          return Promise.resolve();
        },
      }),
    },
  },
  {
    name: "does not hear that anybody types",
    caughtBy: "can.typing-back",
    words: /A person of the network typed, and nobody on Matrix saw it/,
    fault: { typing: () => () => undefined },
  },
  {
    name: "takes one who types for another",
    caughtBy: "can.typing-back",
    words: /A person of the network \(\S+\) typed; on Matrix it was @ghost_/,
    fault: {
      take: (right, { network }) => {
        const other = { id: RemoteUserId("other"), name: "other" };
        return async (channel, happening) => {
          await right(channel, happening);
          const event = eventOf(channel, happening);
          // The other has spoken as well: otherwise nobody could be seen typing.
          if (event?.kind === "message")
            await network.receive({ ...event, id: RemoteMessageId(`${event.id} other`), sender: other });
        };
      },
      typing: (right) => (channel, _person, isTyping) => right(channel, "other", isTyping),
    },
  },
  {
    name: "does not hear that somebody stopped typing",
    caughtBy: "can.typing-back",
    words: /stopped typing, and still types on Matrix/,
    fault: {
      typing: (right) => (channel, person, isTyping) => {
        if (isTyping) right(channel, person, isTyping);
      },
    },
  },
  {
    name: "does not show what was read",
    caughtBy: "can.receipt",
    words: /on the network nothing was seen as read/,
    fault: { handlers: () => ({ receipt: () => Promise.resolve() }) },
  },
  {
    name: "shows the first message that was read for ever",
    caughtBy: "can.receipt",
    words: /read the message n\d+ of the network; on the network n\d+ was seen as read/,
    fault: {
      handlers: (right) => {
        let first: Parameters<NonNullable<typeof right.receipt>>[0] | undefined;
        return { receipt: async (signal) => right.receipt?.((first ??= signal)) };
      },
    },
  },
  {
    name: "speaks for those who signed in as for all others",
    caughtBy: "can.login-speaks",
    words: /had signed in spoke through the bridge's own account, and not through ann/,
    fault: { handlers: (_right, session) => ({ message: (effect) => say(session, effect, undefined) }) },
  },
  {
    name: "lets everybody speak through whoever signed in",
    caughtBy: "can.login-speaks",
    words: /had not signed in spoke through the account of another, ann/,
    fault: {
      handlers: (_right, session) => ({
        message: async (effect) => say(session, effect, (await session.network.logins())[0]?.account.name),
      }),
    },
  },
  {
    name: "goes on speaking through an account that was signed out",
    caughtBy: "can.login-speaks",
    words: /signed out and still spoke through ann/,
    fault: {
      handlers: (_right, session) => {
        const accounts = new Map<string, string>();
        return {
          message: async (effect) => {
            const { login, userId } = effect.author;
            const known = (await session.network.logins()).find(({ id }) => id === login);
            if (known) accounts.set(userId, known.account.name);
            return say(session, effect, accounts.get(userId));
          },
        };
      },
    },
  },
  {
    name: "receives what it said through an account",
    caughtBy: "can.login-speaks",
    words: /said through their own account came back from the network/,
    fault: {
      take: (right) => (channel, happening) =>
        right(
          channel,
          happening.kind === "said" && happening.person !== "the bridge" ? { ...happening, bridge: false } : happening,
        ),
    },
  },
];
