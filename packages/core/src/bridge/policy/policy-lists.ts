import type { MatrixEvent } from "../../appservice/event.js";
import type { PolicyListStatus } from "../../connector/bridge-status.js";
import type { BridgeRuntime } from "../runtime.js";
import { FollowedList } from "./followed-list.js";
import { KeptRules } from "./kept-rules.js";
import { PolicyRules } from "./policy-rules.js";
import { policyTypeOf } from "./rule.js";

/** The policy lists that the operator names. Who may write rules is decided by the power levels of their rooms alone. */
export class PolicyLists {
  readonly rules = new PolicyRules();
  /** Whom they ban has changed. */
  onChange: () => void = () => undefined;
  readonly #kept: KeptRules;
  readonly #lists: readonly FollowedList[];
  #following: Promise<unknown> = Promise.resolve();

  constructor(readonly runtime: BridgeRuntime) {
    this.#kept = new KeptRules(runtime.store, runtime.key);
    const parts = { runtime, rules: this.rules, kept: this.#kept, onChange: () => this.onChange() };
    this.#lists = [...new Set(runtime.global.policyLists)].map((name) => new FollowedList(name, parts));
  }

  get status(): readonly PolicyListStatus[] {
    return this.#lists.map(({ status }) => status);
  }

  /** What was kept of them, before anything is delivered. */
  async load(): Promise<void> {
    const rooms = await this.#kept.rooms();
    for (const list of this.#lists) await list.load(rooms.get(list.name));
    for (const name of rooms.keys()) if (!this.#lists.some((list) => list.name === name)) await this.#kept.forget(name);
  }

  /** Reads them as soon as the homeserver lets the bot in, and again when something may have been missed. */
  begin(leaving: AbortSignal): void {
    this.#following = Promise.all(
      this.#lists.map((list) =>
        list
          .follow(leaving)
          .catch((error: unknown) =>
            this.runtime.log.error({ err: error, list: list.name }, "A policy list is followed no longer"),
          ),
      ),
    );
  }

  /** Resolves when nothing is being read any more; `leaving` was aborted. */
  async ended(): Promise<void> {
    await this.#following;
  }

  readAgain(): void {
    for (const list of this.#lists) list.readAgain();
  }

  /** Takes what an event changes; resolves when that is on disk. `undefined`, as of most events: it changes nothing. */
  take(event: MatrixEvent): Promise<unknown> | undefined {
    if (this.#lists.length === 0 || event.state_key === undefined) return undefined;
    const { type, state_key: key, room_id: room, content } = event;
    if (type === "m.room.member" && key === this.runtime.bot) {
      // Let in, or put out.
      for (const list of this.#lists) if (list.room === undefined || list.room === room) list.readAgain();
      return undefined;
    }
    if (!policyTypeOf(type)) return undefined;
    const lists = this.#lists.filter((list) => list.room === room);
    return lists.length === 0 ? undefined : Promise.all(lists.map((list) => list.take(type, key, content)));
  }
}
