/**
 * A process of its own with the bridge and the least core that keeps its promises: every event and every step of every
 * message is in a file before anything else happens. It is there to be killed.
 * Arguments: the directory, the connector's configuration as JSON, and `wait` where it begins with the first message.
 */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ChannelId, EffectId, EventId, RoomId, UserId } from "@trestle/core";
import connector from "@trestle/irc";
import { richTextOf } from "@trestle/rich-text";
import { pino } from "pino";

const [directory, settings, waits] = process.argv.slice(2);
// Everything is loaded; what the process before has written is not read yet.
if (waits === "wait") await new Promise((resolve) => process.once("message", resolve));
const file = (name) => join(directory, name);
const lines = (name) => (existsSync(file(name)) ? readFileSync(file(name), "utf8").split("\n").slice(0, -1) : []);
const append = (name, value) => appendFileSync(file(name), `${JSON.stringify(value)}\n`);

const outbox = JSON.parse(readFileSync(file("outbox.json"), "utf8"));
const links = outbox.channels.map((channel) => ({
  channel: ChannelId(channel),
  room: RoomId(`!${channel}`),
  kind: "plumbed",
}));
const received = new Set(
  lines("received")
    .map((line) => JSON.parse(line))
    .map(({ channel, id }) => `${channel}\n${id}`),
);
const attempted = new Set(lines("attempted").map((line) => JSON.parse(line)));
const done = new Set(lines("done").map((line) => JSON.parse(line)));
/** What the network calls each message, by ours; the last word counts. */
const ids = new Map(lines("ids").map((line) => JSON.parse(line)));
/** The connector's own map, as it was written last. */
const stored = new Map(lines("stored").map((line) => JSON.parse(line)));
const store = async (key, value) => {
  stored.set(key, value);
  append("stored", [key, value]);
};

const network = {
  bridge: { name: "irc", bot: UserId("@ircbot:example.org"), serverName: "example.org", dataDirectory: directory },
  log: pino({ level: "warn" }, pino.destination({ dest: file("log"), sync: true })),
  receive: (event) => network.receiveAll([event]),
  receiveAll: async (events) => {
    // Like a disk: many commits at once, in the order of the calls.
    await new Promise((resolve) => setTimeout(resolve, 2));
    const fresh = events.filter((event) => {
      const id = `${event.channel}\n${event.id}`;
      return !received.has(id) && received.add(id);
    });
    // One write for all of them: whoever kills the process gets all or none.
    appendFileSync(file("received"), fresh.map((event) => `${JSON.stringify(event)}\n`).join(""));
  },
  signal: () => undefined,
  report: () => undefined,
  links: async () => links,
  textLink: () => undefined,
  storage: {
    get: async (key) => stored.get(key) ?? undefined,
    set: store,
    delete: (key) => store(key, null),
    keys: async (prefix) =>
      [...stored].flatMap(([key, value]) => (value !== null && key.startsWith(prefix) ? [key] : [])).sort(),
  },
  logins: async () => [],
  consented: async (consent) => {
    append("consented", consent);
    return true;
  },
};

const config = connector.config.parse(JSON.parse(settings));
const handlers = await connector.connect({ config, network, signal: new AbortController().signal });
process.on("SIGTERM", () => void handlers.close().then(() => process.exit(0)));
process.send("running");
for (const link of links) await handlers.linked(link);
// What was asked for and never answered is asked for again, as the core does with a command.
for (const channel of outbox.consents ?? []) void askFor(channel);
await Promise.all(outbox.channels.map((channel) => lane(channel)));
await new Promise(() => setInterval(() => undefined, 60_000));

async function askFor(channel) {
  const by = UserId("@alice:example.org");
  for (;;) {
    const signal = AbortSignal.timeout(30_000);
    const answer = await handlers
      .consent({ channel: ChannelId(channel), room: RoomId(`!${channel}`), by, signal })
      .catch((error) => append("failures", { id: channel, failed: "retry", reason: String(error) }));
    if (answer !== undefined) return append("asked", answer);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** One message after the other, as the core's lanes do. */
async function lane(channel) {
  for (const message of outbox.messages.filter((each) => each.channel === channel)) {
    if (!done.has(message.id)) await deliver(message);
  }
}

async function deliver(message) {
  const effect = {
    effect: EffectId(message.id),
    attempt: 1,
    channel: ChannelId(message.channel),
    room: RoomId("!room"),
    event: EventId(`$${message.id}`),
    author: { userId: UserId(message.user), name: message.name },
    at: Date.now(),
    content: { type: "text", style: "text", body: richTextOf(message.text) },
  };
  const isReaction = message.reactsTo !== undefined;
  for (;;) {
    const maybeSent = attempted.has(message.id);
    const sent = maybeSent && !isReaction ? await findSent(effect) : null;
    if (!maybeSent) append("attempted", message.id);
    attempted.add(message.id);
    const outcome = sent ?? (isReaction ? await react(message, effect, maybeSent) : await say(effect));
    if (!outcome?.failed) {
      if (outcome?.id !== undefined) append("ids", [message.id, outcome.id]);
      ids.set(message.id, outcome?.id);
      break;
    }
    append("failures", { id: message.id, ...outcome });
    if (outcome.failed === "permanent") break;
    if (outcome.failed === "retry") attempted.delete(message.id);
    await new Promise((resolve) => setTimeout(resolve, outcome.afterMs ?? 50));
  }
  append("done", message.id);
}

async function say(effect) {
  const [wire] = await handlers.split(effect);
  const signal = AbortSignal.timeout(30_000);
  return handlers.message({ ...effect, maybeSent: false, part: 0, parts: 1, wire, signal });
}

/** Like the core: nobody reacts to a message that the network has no name for. */
async function react(message, effect, maybeSent) {
  const target = ids.get(message.reactsTo);
  if (target === undefined) return undefined;
  return await handlers.react({ ...effect, maybeSent, target, key: message.text, signal: AbortSignal.timeout(30_000) });
}

async function findSent(effect) {
  for (;;) {
    try {
      return await handlers.findSent({
        ...effect,
        maybeSent: true,
        part: 0,
        parts: 1,
        wire: undefined,
        signal: AbortSignal.timeout(30_000),
      });
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
