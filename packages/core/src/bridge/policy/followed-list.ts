import { RoomAlias, RoomId } from "../../connector/ids.js";
import type { PolicyListState, PolicyListStatus } from "../../connector/bridge-status.js";
import type { ClientEvent } from "../../matrix/answers.js";
import type { MatrixFailure } from "../../matrix/result.js";
import { pause } from "../pause.js";
import type { BridgeRuntime } from "../runtime.js";
import type { KeptRules } from "./kept-rules.js";
import { mostRules, type PolicyRules } from "./policy-rules.js";
import { keyOf, type PolicyRule, policyTypeOf, readRule } from "./rule.js";

/** What a homeserver does not hand over, or resolves otherwise later, is found then. */
const readAgainMs = 6 * 3_600_000;
const firstWaitMs = 2_000;
const longestWaitMs = 600_000;
/** Between two readings, however often one is asked for. */
const leastGapMs = 10_000;

export interface FollowedListParts {
  readonly runtime: BridgeRuntime;
  readonly rules: PolicyRules;
  readonly kept: KeptRules;
  /** Whom the list bans has changed. */
  readonly onChange: () => void;
}

/** What a reading came to. */
type Reading =
  | { readonly room: RoomId; readonly state: readonly ClientEvent[] }
  /** For the operator: what is wrong, and what to do. */
  | { readonly problem: string };

/** One policy list: its room is joined and read, and its changes are taken as they come. */
export class FollowedList {
  room: RoomId | undefined;
  #state: PolicyListState = "unread";
  #problem: string | undefined;
  /** What came while the list was being read: it may be newer than what was read. */
  #meanwhile: PolicyRule[] | undefined;
  #woken = new AbortController();
  /** The disk refused something of it: what is kept may be another list. */
  #isUnsaved = false;

  constructor(
    /** As the operator names it: a room id or an alias. */
    readonly name: string,
    readonly parts: FollowedListParts,
  ) {}

  get status(): PolicyListStatus {
    const bans = this.parts.rules.bansIn(this.name);
    return { list: this.name, state: this.#state, bans, ...(this.#problem !== undefined && { detail: this.#problem }) };
  }

  /** What the process before had read counts until it is read again. */
  async load(room: RoomId | undefined): Promise<void> {
    const { rules, kept } = this.parts;
    this.room = room;
    if (room === undefined) return;
    this.#state = "kept";
    for (const rule of await kept.rules(this.name)) rules.set(this.name, rule);
  }

  /** Reads the list, again and again, until `leaving` is aborted. */
  async follow(leaving: AbortSignal): Promise<void> {
    const { clock, log } = this.parts.runtime;
    let waitMs = firstWaitMs;
    while (!isAborted(leaving)) {
      this.#woken = new AbortController();
      const problem = await this.#read().catch((error: unknown) => this.#failed(error));
      if (isAborted(leaving)) return;
      if (problem !== undefined && problem !== this.#problem) log.warn({ list: this.name }, problem);
      this.#problem = problem;
      const least = Math.min(leastGapMs, problem === undefined ? leastGapMs : waitMs);
      await pause(clock, least, leaving);
      const rest = (problem === undefined ? readAgainMs : waitMs) - least;
      await pause(clock, rest, AbortSignal.any([leaving, this.#woken.signal]));
      waitMs = problem === undefined ? firstWaitMs : Math.min(longestWaitMs, waitMs * 2);
    }
  }

  /** Something may have been missed, or the bot may now be let in. */
  readAgain(): void {
    this.#woken.abort();
  }

  /** Takes a change. Resolves when it is on disk. */
  async take(type: string, stateKey: string, content: unknown): Promise<void> {
    const rule = readRule(type, stateKey, content);
    this.#meanwhile?.push(rule);
    await this.#apply([rule]);
  }

  async #read(): Promise<string | undefined> {
    const meanwhile: PolicyRule[] = (this.#meanwhile = []);
    try {
      const reading = await this.#lookUp();
      if ("problem" in reading) return reading.problem;
      const found = new Map<string, PolicyRule>();
      for (const { type, stateKey, content } of reading.state) {
        if (stateKey === undefined || !policyTypeOf(type)) continue;
        const rule = readRule(type, stateKey, content);
        found.set(keyOf(rule), rule);
      }
      for (const rule of meanwhile) found.set(keyOf(rule), rule);
      if (found.size > mostRules) return tooLong(this.name);
      this.room = reading.room;
      const gone = this.parts.rules.of(this.name).filter((rule) => !found.has(keyOf(rule)));
      await this.#apply([...found.values()], gone, reading.room);
      this.#state = "read";
      return replacedBy(this.name, reading.state);
    } finally {
      this.#meanwhile = undefined;
    }
  }

  #failed(error: unknown): string {
    this.parts.runtime.log.error({ err: error, list: this.name }, "A policy list could not be taken in; tried again");
    return `The policy list ${this.name} could not be kept: ${error instanceof Error ? error.message : String(error)}. It is tried again.`;
  }

  async #apply(rules: readonly PolicyRule[], gone: readonly PolicyRule[] = [], room?: RoomId): Promise<void> {
    const { rules: all, kept, onChange } = this.parts;
    for (const rule of gone) all.delete(this.name, rule);
    const changed = rules.filter((rule) => all.set(this.name, rule));
    if (changed.length > 0 || gone.length > 0) onChange();
    const isAll = this.#isUnsaved && room !== undefined;
    try {
      if (isAll) await kept.forget(this.name);
      await kept.write(this.name, this.#isUnsaved ? rules : changed, gone, room);
      if (isAll) this.#isUnsaved = false;
    } catch (error) {
      this.#isUnsaved = true;
      throw error;
    }
  }

  async #lookUp(): Promise<Reading> {
    const { client, bot } = this.parts.runtime;
    const where = await this.#where();
    if ("problem" in where) return where;
    const { room, servers } = where;
    const state = await client.getRoomState(room);
    if (state.ok && isMember(state.body, bot)) return { room, state: state.body };
    if (!state.ok && !isRefused(state.failure)) return this.#unanswered(state.failure);
    const joined = await client.joinRoom(room, { via: servers });
    if (!joined.ok)
      return isRefused(joined.failure) ? notLetIn(this.name, bot, joined.failure) : this.#unanswered(joined.failure);
    const read = await client.getRoomState(room);
    return read.ok ? { room, state: read.body } : this.#unanswered(read.failure);
  }

  /** An alias whose server does not answer is where it was. */
  async #where(): Promise<
    { readonly room: RoomId; readonly servers: readonly string[] } | { readonly problem: string }
  > {
    if (this.name.startsWith("!")) return { room: RoomId(this.name), servers: serversOf(this.name) };
    const resolved = await this.parts.runtime.client.directory.resolveAlias(RoomAlias(this.name));
    if (resolved.ok && resolved.body) {
      const { roomId: room, servers } = resolved.body;
      return { room, servers: servers.slice(0, 10) };
    }
    if (this.room !== undefined) return { room: this.room, servers: serversOf(this.name) };
    if (!resolved.ok) return this.#unanswered(resolved.failure);
    return { problem: `There is no room ${this.name}: correct policyLists, or make the alias.` };
  }

  #unanswered(failure: MatrixFailure): { readonly problem: string } {
    const kept = this.#state === "unread" ? "nobody is banned by it yet" : "what was last read of it counts";
    return { problem: `The policy list ${this.name} cannot be read: ${failure.message}. It is tried again; ${kept}.` };
  }
}

function isMember(state: readonly ClientEvent[], user: string): boolean {
  return state.some(
    ({ type, stateKey, content }) => type === "m.room.member" && stateKey === user && content.membership === "join",
  );
}

/** Not away or overloaded: it says no. */
function isRefused(failure: MatrixFailure): boolean {
  return failure.kind === "answered" && (failure.status === 403 || failure.status === 404 || failure.status === 400);
}

function notLetIn(list: string, bot: string, failure: MatrixFailure): { readonly problem: string } {
  return {
    problem: `The bot may not join the room of the policy list ${list} (${failure.message}): invite ${bot} there, or take the list out of policyLists.`,
  };
}

function tooLong(list: string): string {
  return `The policy list ${list} has more than ${mostRules} rules; what was last read of it counts. Take it out of policyLists.`;
}

function replacedBy(list: string, state: readonly ClientEvent[]): string | undefined {
  const tombstone = state.find(({ type, stateKey }) => type === "m.room.tombstone" && stateKey === "");
  const { replacement_room: room } = tombstone?.content ?? {};
  return typeof room === "string"
    ? `The policy list ${list} has moved to another room, ${room}: write that into policyLists.`
    : undefined;
}

/** Who may know the room: since room version 12 its id does not say it. */
function serversOf(name: string): readonly string[] {
  const colon = name.indexOf(":");
  return colon < 0 ? [] : [name.slice(colon + 1)];
}

/** Asked anew each time: it may become true during any wait. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
