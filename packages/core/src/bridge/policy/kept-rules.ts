import { RoomId } from "../../connector/ids.js";
import type { Store } from "../../store/store.js";
import type { Write } from "../../store/writes.js";
import type { PolicyRule } from "./rule.js";

const writesAtOnce = 1_000;

interface RuleRow {
  readonly list: string;
  readonly type: string;
  readonly stateKey: string;
  readonly entity: string | null;
}

/** What was last read of the policy lists of one bridge: what counts after a start until they are read again. */
export class KeptRules {
  constructor(
    readonly store: Store,
    readonly bridge: number,
  ) {}

  async rooms(): Promise<ReadonlyMap<string, RoomId>> {
    const rows = await this.store.all<{ list: string; room: string }>(
      "SELECT list, room FROM policy_list WHERE bridge = ?",
      this.bridge,
    );
    return new Map(rows.map(({ list, room }) => [list, RoomId(room)]));
  }

  rules(list: string): Promise<readonly PolicyRule[]> {
    return this.store.all<RuleRow>(
      "SELECT type, state_key AS stateKey, entity FROM policy_rule WHERE bridge = ? AND list = ?",
      this.bridge,
      list,
    );
  }

  /** The operator does not name it any more. */
  forget(list: string): Promise<unknown> {
    return this.store.commit([
      ["dropPolicyRules", this.bridge, list],
      ["dropPolicyList", this.bridge, list],
    ]);
  }

  /** Resolves when it is on disk. */
  async write(
    list: string,
    changed: readonly PolicyRule[],
    gone: readonly PolicyRule[] = [],
    room?: RoomId,
  ): Promise<void> {
    const writes: Write[] = [
      ...changed.map(({ type, stateKey, entity }): Write => [
        "setPolicyRule",
        this.bridge,
        list,
        type,
        stateKey,
        entity,
      ]),
      ...gone.map(({ type, stateKey }): Write => ["dropPolicyRule", this.bridge, list, type, stateKey]),
    ];
    if (room !== undefined) writes.push(["setPolicyList", this.bridge, list, room]);
    for (let from = 0; from < writes.length; from += writesAtOnce)
      await this.store.commit(writes.slice(from, from + writesAtOnce));
  }
}
