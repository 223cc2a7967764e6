import { Readable } from "node:stream";
import {
  ChannelId,
  defineConnector,
  refused,
  RemoteMessageId,
  RemoteUserId,
  retry,
  type Connector,
  type Content,
  type ContentUri,
  type EffectBase,
  type MessageEffect,
  type Network,
  type NetworkEvent,
  type NetworkHandlers,
  type Outcome,
  uncertain,
} from "@trestle/core";
import { richTextOf, toPlainText } from "@trestle/rich-text";
import { z } from "zod";
import {
  Refused,
  Unavailable,
  type Happening,
  type Listener,
  type Parlour,
  type SeenOf,
  type Visit,
} from "./parlour.js";

export interface Session {
  readonly parlour: Parlour;
  readonly visit: Visit;
  readonly network: Network;
  /** What the network has done under an effect, as an outcome. */
  act(effect: EffectBase, done: (id: string) => SeenOf): Promise<Outcome>;
  receive(channel: string, happening: Happening): Promise<void>;
}

/** What a planted fault replaces. */
export interface Fault {
  readonly handlers?: (right: NetworkHandlers, session: Session) => Partial<NetworkHandlers>;
  /** Replaces what is done with a happening. */
  readonly take?: (right: Listener["take"], session: Session) => Listener["take"];
  /** Replaces what is done when somebody types. */
  readonly typing?: (right: Listener["typing"], session: Session) => Listener["typing"];
  readonly lost?: (session: Session) => void;
  readonly back?: (session: Session) => void;
}

export const text = (content: Content): string =>
  // eslint-disable-next-line no-control-regex -- what the network does not allow
  content.type === "text" ? toPlainText(content.body).replaceAll(/[\u0000\r]/g, " ") : content.type;

/** A connector to the parlour without fault, or with those that are planted. */
export function parlourConnector(parlour: Parlour, fault: Fault = {}): Connector {
  return defineConnector({
    network: "parlour",
    config: z.strictObject({}),
    connect: ({ network }) => {
      const visit = parlour.visit();
      const session: Session = {
        parlour,
        visit,
        network,
        act: (effect, done) => act(visit, effect, done),
        receive: (channel, happening) => receive(network, channel, happening),
      };
      const right: Listener["take"] = (channel, happening) => session.receive(channel, happening);
      const typing: Listener["typing"] = (channel, person, isTyping) => signal(network, channel, person, isTyping);
      const listener: Listener = {
        take: fault.take?.(right, session) ?? right,
        typing: fault.typing?.(typing, session) ?? typing,
        lost: () => (fault.lost ? fault.lost(session) : network.report({ connection: "parlour", state: "waiting" })),
        back: () => (fault.back ? fault.back(session) : network.report({ connection: "parlour", state: "connected" })),
      };
      parlour.enter(listener);
      const handlers = handlersOf(session, () => parlour.leave(listener));
      return { ...handlers, ...fault.handlers?.(handlers, session) };
    },
  });
}

async function act(visit: Visit, effect: EffectBase, done: (id: string) => SeenOf): Promise<Outcome> {
  try {
    const id = await visit.act(effect.channel, effect.effect, done);
    return { id: RemoteMessageId(id) };
  } catch (error) {
    if (error instanceof Unavailable) return retry(error.message);
    if (error instanceof Refused) return refused(error.message);
    return uncertain(String(error));
  }
}

function handlersOf(session: Session, leave: () => void): NetworkHandlers {
  const { parlour, visit } = session;
  return {
    limits: { textBytes: 400 },
    message: async (effect) => {
      const { login } = effect.author;
      const account = login && (await session.network.logins()).find(({ id }) => id === login)?.account.name;
      return say(session, effect, account);
    },
    edit: async (effect) => {
      const [first = "", ...rest] = effect.target;
      for (const target of rest) await session.act(effect, () => ({ kind: "removal", target }));
      return session.act(effect, () => ({ kind: "edit", target: first, text: text(effect.content).slice(0, 400) }));
    },
    redact: async (effect) => {
      let outcome: Outcome;
      for (const target of effect.target) outcome = await session.act(effect, () => ({ kind: "removal", target }));
      return outcome;
    },
    react: (effect) => session.act(effect, () => ({ kind: "reaction", target: effect.target, key: effect.key })),
    unreact: (effect) =>
      session.act(effect, () => ({ kind: "reactionRemoved", target: effect.target, key: effect.key })),
    topic: (effect) => session.act(effect, () => ({ kind: "topic", text: effect.topic.slice(0, 400) })),
    picture: async (effect) => {
      const image = effect.picture === undefined ? Buffer.alloc(0) : await bytesOf(session.network, effect.picture);
      return session.act(effect, () => ({ kind: "picture", image }));
    },
    findSent: async (effect) => {
      const id = await visit.find(effect.channel, effect.effect);
      return id === undefined ? null : { id: RemoteMessageId(id) };
    },
    typing: ({ channel, authors }) => {
      visit.type(
        channel,
        authors.map(({ name }) => name),
      );
      return Promise.resolve();
    },
    receipt: ({ channel, upTo }) => {
      visit.read(channel, upTo);
      return Promise.resolve();
    },
    openMedia: (reference) =>
      Promise.resolve({ stream: Readable.from([Buffer.from(reference, "base64")]), mimeType: "text/plain" }),
    login: async (dialogue) => {
      const { name, password } = await dialogue.ask([
        { id: "name", type: "username", label: "Your name" },
        { id: "password", type: "password", label: "Your password" },
      ]);
      if (!parlour.signIn(name, password)) throw new Error("wrong password");
      return { name, secret: { password } };
    },
    logout: () => Promise.resolve(),
    close: () => {
      leave();
      return Promise.resolve();
    },
  };
}

async function bytesOf(network: Network, uri: ContentUri): Promise<Buffer> {
  const { stream } = await network.openMedia(uri);
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(piece as Uint8Array);
  return Buffer.concat(pieces);
}

/** Says a message through an account; through the bridge's own where there is none. */
export function say(session: Session, effect: MessageEffect, account: string | undefined): Promise<Outcome> {
  const emote = effect.content.type === "text" && effect.content.style === "emote";
  const by = account === undefined ? {} : { by: account };
  return session.act(effect, (id) => ({ kind: "message", id, text: text(effect.content), emote, ...by }));
}

function signal(network: Network, channel: string, person: string, isTyping: boolean): void {
  const user = { id: RemoteUserId(person), name: person };
  network.signal({ kind: "typing", channel: ChannelId(channel), user, forMs: isTyping ? 20_000 : 0 });
}

async function receive(network: Network, channel: string, happening: Happening): Promise<void> {
  const event = eventOf(channel, happening);
  if (event) await network.receive(event);
}

export function eventOf(channel: string, happening: Happening): NetworkEvent | undefined {
  if ("bridge" in happening && happening.bridge) return undefined;
  const base = { id: RemoteMessageId(happening.id), channel: ChannelId(channel) };
  const sender = { id: RemoteUserId(happening.person), name: happening.person };
  switch (happening.kind) {
    case "said":
      return { ...base, kind: "message", sender, content: contentOf(happening) };
    case "edited":
      return {
        ...base,
        kind: "edit",
        sender,
        target: RemoteMessageId(happening.target),
        content: { type: "text", style: "text", body: richTextOf(happening.text) },
      };
    case "removed":
      return { ...base, kind: "redaction", sender, target: RemoteMessageId(happening.target) };
    case "reacted":
      return { ...base, kind: "reaction", sender, target: RemoteMessageId(happening.target), key: happening.key };
    case "unreacted":
      return {
        ...base,
        kind: "reactionRemoved",
        sender,
        target: RemoteMessageId(happening.target),
        key: happening.key,
      };
    case "topic":
      return { ...base, kind: "channel", by: sender, topic: happening.text };
    case "picture": {
      const url = `remote:${Buffer.from(happening.image).toString("base64")}`;
      return { ...base, kind: "channel", by: sender, picture: { id: happening.id, url } };
    }
  }
}

function contentOf({ text: said, emote, file }: Extract<Happening, { kind: "said" }>): Content {
  if (!file) return { type: "text", style: emote ? "emote" : "text", body: richTextOf(said) };
  const reference = Buffer.from(file.content).toString("base64");
  return {
    type: "media",
    kind: "file",
    name: file.name,
    mimeType: file.mimeType,
    source: { from: "remote", reference },
  };
}
