import { fail, Found, type Finding } from "../../report/finding.js";
import { check, type ConnectorCheck, type Note } from "../check.js";
import { objectOf, stringOf, type SeenOnMatrix } from "../matrix-view.js";
import { eventAt, expectArrived, fence, textsAt } from "../relay.js";
import type { Stage } from "../stage.js";
import { someOf } from "../tally.js";
import { hostileContents, hostileNames, hostileTexts, oddLocalparts } from "./hostile.js";

async function fromMatrix(stage: Stage, note: Note): Promise<void> {
  const marks: string[] = [];
  const injected = stage.mark("inj");
  for (const { name, content } of hostileContents(injected)) {
    const refused = await stage.alice.send(stage.room(), "m.room.message", content).then(
      () => undefined,
      (error: unknown) => String(error),
    );
    if (refused !== undefined) note(`the homeserver does not take ${name}`);
    const mark = stage.mark();
    marks.push(mark);
    await stage.tell(mark);
  }
  await expectArrived(stage, { direction: "toNetwork", marks, story: "Between hostile messages from Matrix" });
}

async function fromNetwork(stage: Stage): Promise<void> {
  const marks: string[] = [];
  for (const text of hostileTexts) {
    // What the network itself refuses cannot be said on it.
    await stage.say(text).catch(() => undefined);
    const mark = stage.mark();
    marks.push(mark);
    await stage.say(mark);
  }
  await expectArrived(stage, { direction: "toMatrix", marks, story: "Between hostile messages from the network" });
  const findings = stage.onMatrix().flatMap((event) => dangersIn(event, stage.alice.userId));
  if (findings.length > 0) throw new Found(findings.slice(0, 5));
}

function dangersIn({ content, text }: SeenOnMatrix, alice: string): Finding[] {
  const html = stringOf(content["formatted_body"]);
  const mentions = objectOf(content["m.mentions"]);
  const users = mentions["user_ids"];
  const found: Finding[] = [];
  if (/<script|javascript:|<img(?![^>]*mxc:)|\son\w+=/i.test(html))
    found.push({
      failed: `What a person of the network wrote is live HTML on Matrix: ${JSON.stringify(html.slice(0, 200))}.`,
      seen: "a stranger's link or script in the room",
      look: "the rich text that the connector gives as `body`: text is text, and only http(s) addresses are links",
    });
  if (mentions["room"] === true)
    found.push({
      failed: `A person of the network wakes the whole room: ${JSON.stringify(text.slice(0, 100))}.`,
      seen: "everybody's telephone rings",
      look: "the rich text that the connector gives as `body`: a stranger's @room is text",
    });
  if (Array.isArray(users) && users.includes(alice) && !text.includes(alice))
    found.push({
      failed: `A message mentions somebody whom its text does not name: ${JSON.stringify(text.slice(0, 100))}.`,
      seen: "somebody is called for no reason they can see",
      look: "the mentions in the rich text that the connector gives as `body`",
    });
  return found;
}

async function people(stage: Stage): Promise<void> {
  const senders = new Map<string, string>();
  for (const person of stage.fake.people) {
    const mark = stage.mark();
    await stage.say(mark, 0, person);
    const event = await eventAt(stage, mark);
    const sender = stage.onMatrix().find((seen) => seen.event === event)?.sender ?? "";
    const before = [...senders].find(([, user]) => user === sender);
    if (before)
      fail({
        failed: `Two people of the network, ${JSON.stringify(before[0])} and ${JSON.stringify(person)}, are one on Matrix: ${sender}.`,
        seen: "what one person says appears under another's name, and either can edit the other's messages",
        look: "`sender.id` given to `network.receive`: different people need different ids",
      });
    senders.set(person, sender);
    if (!/^@[a-z0-9._=\-/+]+:[^:]+$/.test(sender) || Buffer.byteLength(sender) > 255)
      fail({
        failed: `${JSON.stringify(person)} became the user ${sender}, which is no valid user id.`,
        seen: "nothing of what this person says",
        look: "the core's ghost ids",
      });
  }
}

async function authors(stage: Stage): Promise<void> {
  const marks: string[] = [];
  for (const [index, name] of hostileNames.entries()) {
    const localpart = oddLocalparts[index] ?? `user${index}`;
    const user = stage.homeserver.createClient(localpart);
    // A homeserver may refuse a name; the user speaks all the same.
    await user.setDisplayName(name).catch(() => undefined);
    await stage.alice.invite(stage.room(), user.userId);
    await user.join(stage.room());
    const mark = stage.mark();
    marks.push(mark);
    await user.sendText(stage.room(), mark);
  }
  await expectArrived(stage, {
    direction: "toNetwork",
    marks,
    story: "When people with odd names and ids spoke on Matrix",
  });
}

async function places(stage: Stage): Promise<void> {
  const [out, back] = [stage.marks(2) as [string, string], stage.marks(2) as [string, string]];
  await stage.tell(out[0], 0);
  await stage.tell(out[1], 1);
  await stage.say(back[0], 0);
  await stage.say(back[1], 1);
  for (const place of [0, 1] as const) {
    await fence(stage, "toNetwork", place);
    await fence(stage, "toMatrix", place);
  }
  for (const place of [0, 1] as const) {
    const other = place === 0 ? 1 : 0;
    const astray = [
      ...[out[other]].filter((mark) => textsAt(stage, "toNetwork", place).some((text) => text.includes(mark))),
      ...[back[other]].filter((mark) => textsAt(stage, "toMatrix", place).some((text) => text.includes(mark))),
    ];
    if (astray.length > 0)
      fail({
        failed: `What was said in one channel was read in another: ${someOf(astray)}.`,
        seen: "private words in a public channel",
        look: "the connector's use of `channel`, in `message` and in what it gives to `network.receive`",
      });
  }
}

async function newRooms(stage: Stage): Promise<void> {
  const [out, back] = [stage.marks(2), stage.marks(2)];
  for (const mark of out) await stage.tell(mark);
  for (const mark of back) await stage.say(mark);
  const story = "In a room of version 12, whose id has no server name";
  await expectArrived(stage, { direction: "toNetwork", marks: out, story });
  await expectArrived(stage, { direction: "toMatrix", marks: back, story });
}

export const belongChecks: readonly ConnectorCheck[] = [
  check("belong.hostile", "Whatever strangers send on Matrix, it does no harm and stops nobody", fromMatrix),
  check("belong.hostile-back", "Whatever strangers say on the network, it does no harm and stops nobody", fromNetwork),
  check("belong.people", "Every person of the network is somebody of their own on Matrix", people),
  check("belong.authors", "Matrix users of any id and name can speak", authors),
  check("belong.places", "What is said in one channel is read in its room alone, and the other way round", places),
  check("belong.room-12", "Rooms of version 12 work as well", newRooms, { roomVersion: "12" }),
];
