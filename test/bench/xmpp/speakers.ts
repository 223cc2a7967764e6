import { component, xml, type XmppComponent, type XmppElement } from "@xmpp/component";
import { serve } from "../../tools/rpc.js";
import { waitFor } from "../../tools/wait.js";
import { BareHttpServer } from "../load/http-server.js";
import { MockHomeserver } from "../load/homeserver.js";
import { Arrivals } from "../slack/arrivals.js";
import { channelOf, now, roomsDomain, speakersApi } from "./api.js";

const MUC = "http://jabber.org/protocol/muc";
const DISCO = "http://jabber.org/protocol/disco#info";
const MAM = "urn:xmpp:mam:2";
const SID = "urn:xmpp:sid:0";
const OCCUPANT = "urn:xmpp:occupant-id:0";
/** Of each room. */
const people = 10;
/** Messages that are handed to the system at once. */
const batch = 50;
const run = 1;

const arrivals = new Arrivals();
const homeserver = new MockHomeserver((room, content) => arrivals.note(run, room, content));
let isAway = false;
const server = new BareHttpServer((method, target, body) =>
  isAway ? { status: 503, body: "{}" } : homeserver.answer(method, target, body),
);
/** Under which address somebody is in each room. */
const entered = new Map<string, string>();
let rooms: XmppComponent | undefined;

function running(): XmppComponent {
  if (!rooms) throw new Error("The rooms were not started");
  return rooms;
}

/** As little of a room's service (XEP-0045) as a bridge needs to enter: what it costs is not what is measured. */
function serveRooms(stanza: XmppElement): void {
  const { from, to = "", id, type } = stanza.attrs;
  const back = { from: to, to: from, id };
  const [room = ""] = to.split("/");
  const send = (element: XmppElement): void => {
    running()
      .send(element)
      .catch((error: unknown) => console.error(error));
  };
  if (stanza.name === "presence" && type === undefined) {
    entered.set(room, from ?? "");
    const item = xml("item", { affiliation: "member", role: "participant" });
    const own = xml("x", { xmlns: `${MUC}#user` }, item, xml("status", { code: "110" }));
    send(xml("presence", { from: to, to: from }, own));
    return;
  }
  if (stanza.name !== "iq" || (type !== "get" && type !== "set")) return;
  if (stanza.getChild("query", DISCO)) {
    const identity = xml("identity", { category: "conference", type: "text", name: room });
    const features = [MUC, MAM, SID, OCCUPANT].map((feature) => xml("feature", { var: feature }));
    send(xml("iq", { ...back, type: "result" }, xml("query", { xmlns: DISCO }, identity, ...features)));
  } else if (stanza.getChild("query", MAM))
    send(xml("iq", { ...back, type: "result" }, xml("fin", { xmlns: MAM, complete: "true" })));
  else send(xml("iq", { ...back, type: "result" }));
}

/** What a person says in a room, as the room shows it: two hundred characters of several scripts. */
function messageOf(number: number, room: string, to: string, text: string): string {
  const person = number % people;
  const words = `${text} ${"балка girder 桁架 Träger ".repeat(7)}`;
  return (
    `<message from="${room}/person${person}" to="${to}" type="groupchat" id="bench${number}"><body>${words}</body>` +
    `<occupant-id xmlns="${OCCUPANT}" id="occupant${person}"/>` +
    `<stanza-id xmlns="${SID}" by="${room}" id="kept${number}"/></message>`
  );
}

let said = 0;

async function say(to: string, count: number, roomCount: number, recorded: boolean): Promise<{ beganAt: number }> {
  const messages = Array.from({ length: count }, (_, index) => {
    const text = recorded ? arrivals.say(run) : `message ${index} of the benchmark`;
    return messageOf(said++, channelOf(index % roomCount), to, text);
  });
  const beganAt = now();
  for (let index = 0; index < count; index += batch)
    await running().write(messages.slice(index, index + batch).join(""));
  return { beganAt };
}

serve(speakersApi, {
  start: async ({ componentPort, secret }) => {
    rooms = component({ service: `xmpp://127.0.0.1:${componentPort}`, domain: roomsDomain, password: secret });
    rooms.on("error", (error) => console.error(error));
    rooms.on("stanza", serveRooms);
    await rooms.start();
    return { homeserverPort: await server.listen() };
  },
  entered: async ({ rooms: count }) => {
    await waitFor("the bridge in its rooms", 30_000, () => entered.size >= count);
    return { address: [...entered.values()][0] ?? "" };
  },
  say: ({ to, count, rooms: roomCount, recorded }) => say(to, count, roomCount, recorded),
  homeserver: ({ away }) => {
    isAway = away;
    return {};
  },
  drain: async ({ timeoutMs }) => {
    const began = performance.now();
    await waitFor("the last message", timeoutMs, () => arrivals.missing === 0).catch(() => undefined);
    const { missing: lost, repeated, reordered } = arrivals;
    return { lost, repeated, reordered, elapsedMs: performance.now() - began };
  },
});
