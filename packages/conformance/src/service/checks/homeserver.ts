import type { Homeserver, JsonObject } from "@trestle/testkit";
import { fail, leaveOut } from "../../report/finding.js";
import { until } from "../../waiting.js";
import { check, type Scene, type ServiceCheck } from "../check.js";
import { sections } from "../sections.js";

const patienceMs = 10_000;

function theHomeserver({ homeserver }: Scene): Homeserver {
  return homeserver ?? leaveOut("the service talks to a homeserver that is not the suite's (give --homeserver-port)");
}

async function pingsUs(scene: Scene): Promise<void> {
  const homeserver = theHomeserver(scene);
  const path = `/_matrix/client/v1/appservice/${encodeURIComponent(scene.probe.registration.id)}/ping`;
  const pinged = (): boolean => homeserver.requests.count("POST", "/appservice/") > 0;
  const found = await until(patienceMs, pinged);
  if (found === undefined)
    fail({
      failed: `The service has not asked the homeserver for a ping (POST ${path}).`,
      seen: "after each restart of the bridge, what waits on the homeserver comes up to 8 minutes later (Synapse), or never by itself (tuwunel)",
      look: sections.ping.look,
    });
}

interface Conversation {
  readonly room: string;
  readonly event: JsonObject;
  readonly answers: () => number;
}

/** A person invites the service's bot and speaks to it, until it says something. */
async function converse({ probe }: Scene, homeserver: Homeserver): Promise<Conversation> {
  const bot = `@${probe.registration.senderLocalpart}:${probe.serverName}`;
  const person = homeserver.createClient(probe.unique("person"));
  const room = await person.createRoom({ invite: [bot], preset: "trusted_private_chat", is_direct: true });
  const joined = await until(patienceMs, () => homeserver.room(room).members()[bot] === "join");
  if (joined === undefined) leaveOut("the service's bot does not accept an invitation");
  const answers = (): number =>
    homeserver
      .room(room)
      .messages()
      .filter(({ sender }) => sender === bot).length;
  await homeserver.delivered(probe.registration.id, patienceMs);
  const before = answers();
  for (const text of ["help", "!help", `!${probe.registration.protocols[0] ?? "bridge"} help`]) {
    const id = await person.sendText(room, text);
    const answered = await until(patienceMs / 5, () => answers() > before);
    const event = homeserver
      .room(room)
      .timeline()
      .find((each) => each["event_id"] === id);
    if (answered !== undefined && event) return { room, event: { ...event, room_id: room }, answers };
  }
  return leaveOut("the service's bot does not answer: whether it does things twice cannot be seen");
}

async function twice(scene: Scene): Promise<void> {
  const homeserver = theHomeserver(scene);
  const { room, event, answers } = await converse(scene, homeserver);
  const before = answers();
  await scene.probe.push({ events: [event] });
  await scene.probe.push({ events: [event] });
  const again = await until(patienceMs / 5, () => answers() > before);
  if (again !== undefined)
    fail({
      failed: `An event that came once more, in another transaction, was answered once more (in ${room}).`,
      seen: "everything a homeserver repeats (after a restart, an outage, a lost answer) is on the network twice",
      look: "remember event ids, on disk, and drop what was seen; transaction ids are not enough",
    });
}

export const homeserverChecks: readonly ServiceCheck[] = [
  check(
    "ping",
    "asks",
    "extra",
    "The service asks for a ping when it starts, so that the homeserver delivers at once",
    pingsUs,
  ),
  check("transactions", "once", "should", "An event that comes in two transactions is acted upon once", twice),
];
