import { ChannelId, RemoteUserId, type Login } from "@trestle/core";
import type { TestClient } from "@trestle/testkit";
import { Stage, type StageOptions } from "../faults/stage.js";
import { fastClock } from "../support/fast-clock.js";
import { eventually, Recorder } from "./recorder.js";

let stage: Stage | undefined;

/** Ends what was opened last. */
export async function close(): Promise<void> {
  await stage?.close();
  stage = undefined;
}

export const bot = "@fakebot:faults.test";
export const list = "#bans:faults.test";
export const ban = { recommendation: "m.ban", reason: "spam, as seen in a private room" };

export interface Opened {
  readonly opened: Stage;
  readonly recorder: Recorder;
  readonly suspended: string[];
  readonly signedIn: Login[];
  /** The policy list. */
  readonly list: string;
  readonly mallory: TestClient;
  /** Nobody passes into the network before it is open. */
  readonly passage: { gate?: Promise<void> };
}

/** Alice is the operator; Mallory is in the first room. Starts anew with a policy list in the configuration. */
export async function open(
  options: StageOptions = {},
  { isPublic = true, rules = {} }: { isPublic?: boolean; rules?: Readonly<Record<string, object>> } = {},
): Promise<Opened> {
  const suspended: string[] = [];
  const signedIn: Login[] = [];
  const passage: { gate?: Promise<void> } = {};
  const recorder = new Recorder({
    membership: async ({ change, who }) => {
      await passage.gate;
      recorder.calls.push(`${change} ${"remote" in who ? who.remote : who.name}`);
      return undefined;
    },
    login: (session) => Promise.resolve({ name: session.user, secret: { token: "secret" } }),
    signedIn: (login) => {
      signedIn.push(login);
      return Promise.resolve();
    },
    suspendUser: ({ user }) => {
      suspended.push(user);
      return Promise.resolve(undefined);
    },
    directChannel: (_user, remote) => Promise.resolve(ChannelId(`to ${remote}`)),
    resolveUser: (text) => Promise.resolve({ id: RemoteUserId(text), name: text }),
    presence: ({ user }) => {
      recorder.calls.push(`presence ${user}`);
      return Promise.resolve();
    },
  });
  const { config, ...more } = options;
  stage = await Stage.open({
    places: 1,
    clock: fastClock(20),
    network: { handlers: recorder.handlers },
    config: {
      policyLists: [list],
      permissions: { "*": "user", "@alice:faults.test": "admin" },
      encryptionKey: "a key for tests that is long enough",
      ...config,
    },
    ...more,
  });
  const opened = stage;
  const { homeserver, alice } = opened;
  const room = await alice.createRoom({
    room_alias_name: "bans",
    preset: isPublic ? "public_chat" : "private_chat",
    initial_state: Object.entries(rules).map(([entity, content], index) => ({
      type: entity.startsWith("@") ? "m.policy.rule.user" : "m.policy.rule.server",
      state_key: `rule ${index}`,
      content: { entity, ...content },
    })),
  });
  if (isPublic) await eventually(() => homeserver.room(room).members()[bot] === "join", "the bot is in the list");
  const mallory = homeserver.createClient("mallory");
  await enter(opened, mallory);
  if (Object.keys(rules).length === 0)
    await eventually(() => recorder.calls.includes("join mallory"), "the network is told of mallory");
  return { opened, recorder, suspended, signedIn, list: room, mallory, passage };
}

export async function enter(opened: Stage, who: TestClient): Promise<void> {
  await opened.alice.invite(opened.room(), who.userId);
  await who.join(opened.room());
}

export type RuleContent = Parameters<TestClient["setState"]>[2];
export const rule = (
  { opened, list: room }: Opened,
  entity: string,
  { type = "m.policy.rule.user", content = { entity, ...ban } }: { type?: string; content?: RuleContent } = {},
): Promise<string> => opened.alice.setState(room, type, content, `rule of ${entity}`);
export const lift = (stageOpened: Opened, entity: string, type?: string): Promise<string> =>
  rule(stageOpened, entity, { content: {}, ...(type !== undefined && { type }) });

export const taken = ({ opened }: Opened): string[] => opened.network.taken.map((each) => each.text);

/** Says something behind all that was said in the room, and waits until it is on the network. */
export async function settled(stageOpened: Opened): Promise<void> {
  const { opened } = stageOpened;
  const behind = `behind ${Math.random()}`;
  await opened.alice.sendText(opened.room(), behind);
  await eventually(() => taken(stageOpened).includes(behind), "what was said behind it");
}

export async function says(stageOpened: Opened, who: TestClient, body: string): Promise<boolean> {
  await who.sendText(stageOpened.opened.room(), body);
  await settled(stageOpened);
  return taken(stageOpened).includes(body);
}

export async function statusOf({ opened }: Opened) {
  const [bridge] = (await opened.trestle.services.status()).bridges;
  return bridge!.policyLists[0]!;
}

export async function until(stageOpened: Opened, state: string): Promise<void> {
  let now = "";
  const look = (): void => void statusOf(stageOpened).then((status) => (now = status.state));
  await eventually(() => (look(), now === state), `the list is ${state}`);
}

export async function metric({ opened }: Opened, name: string): Promise<number> {
  const answer = await fetch(`${opened.trestle.operationsUrl}/metrics`);
  const line = (await answer.text()).split("\n").find((each) => each.startsWith(name));
  return Number(line?.split(" ").at(-1));
}

export const said = (opened: Stage, room: string): string[] =>
  opened.homeserver
    .room(room)
    .messages()
    .filter(({ sender }) => sender === bot)
    .map(({ content }) => String((content as { body?: unknown }).body));
