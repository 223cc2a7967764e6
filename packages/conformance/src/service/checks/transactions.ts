import { fail } from "../../report/finding.js";
import type { Answer } from "../exchange.js";
import { check, type Scene, type ServiceCheck } from "../check.js";
import { isObject, shown, type Probe } from "../probe.js";
import { sections, type Section } from "../sections.js";

function expectTaken(answer: Answer, what: string, section: Section = "transactions"): void {
  if (answer.status === 200 && isObject(answer.json)) return;
  const wrong =
    answer.status === 200
      ? `200 with ${shown(answer.text)}, which is no JSON object`
      : `${answer.status} ${shown(answer.text)}`;
  fail({
    failed: `${what} is answered ${wrong}; 200 with {} was expected.`,
    seen: "the homeserver sends it again for ever, and nothing that happens later reaches the bridge",
    look: sections[section].look,
  });
}

async function empty({ probe }: Scene): Promise<void> {
  expectTaken(await probe.push({ events: [] }), "A transaction without events");
}

async function contentType({ probe }: Scene): Promise<void> {
  const { contentType: type } = await probe.push({ events: [] });
  if (!/^application\/json\b/i.test(type))
    fail({
      failed: `The answer to a transaction has the content type ${shown(type)}; application/json was expected.`,
      seen: "some homeservers take it for no answer and send again",
      look: sections.transactions.look,
    });
}

/** Events of every kind, as homeservers of today send them. */
function ordinary(probe: Probe): Record<string, unknown>[] {
  const target = `$${probe.unique("e")}`;
  return [
    probe.message({ event_id: target }),
    probe.message({
      type: "m.reaction",
      content: { "m.relates_to": { rel_type: "m.annotation", event_id: target, key: "👍" } },
    }),
    probe.message({ type: "m.room.redaction", redacts: target, content: { redacts: target } }),
    probe.message({ type: "m.room.topic", state_key: "", content: { topic: "a topic" } }),
    probe.message({
      type: "m.room.member",
      state_key: `@conformance:${probe.serverName}`,
      content: { membership: "join" },
    }),
    probe.message({
      room_id: "!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM",
      type: "org.example.unknown",
      content: { any: [1, null, { thing: true }] },
    }),
    probe.message({ user_id: `@conformance:${probe.serverName}`, age: 3, "org.example.field": {} }),
  ];
}

async function kinds({ probe }: Scene): Promise<void> {
  expectTaken(await probe.push({ events: ordinary(probe) }), "A transaction with events of every kind");
}

async function unknownFields({ probe }: Scene): Promise<void> {
  const body = {
    events: [probe.message()],
    "org.example.extension": { a: [1] },
    device_lists: { changed: [], left: [] },
  };
  expectTaken(await probe.push(body), "A transaction with fields that are not in the specification");
}

async function duplicate({ probe }: Scene): Promise<void> {
  const [id, body] = [probe.unique("t"), { events: ordinary(probe) }];
  expectTaken(await probe.push(body, { id }), "A transaction");
  expectTaken(await probe.push(body, { id }), "The same transaction a second time, after it was answered,");
}

async function inFlight({ probe }: Scene): Promise<void> {
  const [id, body] = [probe.unique("t"), { events: ordinary(probe) }];
  const answers = await Promise.all([1, 2, 3].map(() => probe.push(body, { id })));
  for (const answer of answers) expectTaken(answer, "One of three equal transactions at the same time");
}

async function sameEvents({ probe }: Scene): Promise<void> {
  const events = ordinary(probe);
  expectTaken(await probe.push({ events }), "A transaction");
  expectTaken(await probe.push({ events }), "The same events in another transaction");
}

async function grown({ probe }: Scene): Promise<void> {
  const [id, first, second] = [probe.unique("t"), probe.message(), probe.message()];
  expectTaken(await probe.push({ events: [first] }, { id }), "A transaction");
  expectTaken(
    await probe.push({ events: [first, second] }, { id }),
    "A transaction that came before, with one event more (as Dendrite and Construct retry)",
  );
}

async function reordered({ probe }: Scene): Promise<void> {
  const [older, newer] = [probe.message({ origin_server_ts: Date.now() - 60_000 }), probe.message()];
  expectTaken(await probe.push({ events: [newer] }), "A transaction");
  expectTaken(await probe.push({ events: [older] }), "A transaction whose event is older than one that came before");
  expectTaken(
    await probe.push({ events: [newer, older, newer] }),
    "A transaction with its events out of order and one of them twice",
  );
}

async function ids({ probe }: Scene): Promise<void> {
  for (const id of ["1", "a b%/?#ü", "x".repeat(200), "-", `0.${probe.unique()}`, "..", "🚂"]) {
    const path = `/_matrix/app/v1/transactions/${encodeURIComponent(id).replaceAll(".", "%2E")}`;
    const answer = await probe.ask("PUT", path, { section: "transactions", body: { events: [] } });
    expectTaken(answer, `A transaction with the id ${shown(id)}`);
  }
}

async function large({ probe }: Scene): Promise<void> {
  const body = "x".repeat(60_000);
  const events = Array.from({ length: 100 }, () => probe.message({ content: { msgtype: "m.text", body } }));
  expectTaken(await probe.push({ events }), "A transaction with 100 events of 60 kB, 6 MB together,");
}

const typing = { type: "m.typing", room_id: "!conformance:example.org", content: { user_ids: [] } };
const receipt = {
  type: "m.receipt",
  room_id: "!conformance:example.org",
  content: { $event: { "m.read": { "@conformance:example.org": { ts: 1 } } } },
};
const presence = { type: "m.presence", sender: "@conformance:example.org", content: { presence: "online" } };

async function ephemeral({ probe }: Scene): Promise<void> {
  const data = [typing, receipt, presence];
  const bodies = {
    "under the stable key": { events: [], ephemeral: data },
    "under the unstable key": { events: [], "de.sorunome.msc2409.ephemeral": data },
    "under both keys (Synapse, with both in the registration)": {
      events: [],
      ephemeral: data,
      "de.sorunome.msc2409.ephemeral": data,
    },
  };
  for (const [what, body] of Object.entries(bodies))
    expectTaken(await probe.push(body), `Ephemeral data ${what}`, "ephemeral");
}

async function encryption({ probe }: Scene): Promise<void> {
  const device = {
    to_user_id: "@a:example.org",
    to_device_id: "D",
    sender: "@b:example.org",
    type: "m.dummy",
    content: {},
  };
  const counts = { "@a:example.org": { D: { signed_curve25519: 50 } } };
  const keys = { "@a:example.org": { D: ["signed_curve25519"] } };
  const body = {
    events: [],
    "de.sorunome.msc2409.to_device": [device],
    "org.matrix.msc3202.device_lists": { changed: ["@b:example.org"], left: [] },
    "org.matrix.msc3202.device_one_time_keys_count": counts,
    "org.matrix.msc3202.device_unused_fallback_key_types": keys,
  };
  expectTaken(await probe.push(body), "A transaction with the unstable keys for encryption", "ephemeral");
}

export const transactionChecks: readonly ServiceCheck[] = [
  check("transactions", "empty", "must", "A transaction without events is taken", empty),
  check("transactions", "kinds", "must", "Events of every kind are taken", kinds),
  check("transactions", "fields", "must", "Unknown fields do no harm", unknownFields),
  check("transactions", "duplicate", "must", "The same transaction a second time is taken again", duplicate),
  check("transactions", "in-flight", "must", "The same transaction while the first is worked on is taken", inFlight),
  check("transactions", "same-events", "must", "The same events in another transaction are taken", sameEvents),
  check("transactions", "grown", "should", "A transaction that was retried with more events is taken", grown),
  check("transactions", "reordered", "must", "Events out of order are taken", reordered),
  check("transactions", "ids", "must", "A transaction id may be any text", ids),
  check("transactions", "large", "must", "A hundred large events are taken", large),
  check("transactions", "content-type", "should", "Answers say that they are JSON", contentType),
  check("ephemeral", "spellings", "must", "Typing, receipts and presence are taken in every spelling", ephemeral),
  check("ephemeral", "encryption", "should", "The unstable keys for encryption do no harm", encryption),
];
