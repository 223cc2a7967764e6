import type { StoredEffect } from "./effect-register.js";
import { packChange, packOutcome, unpackChange, unpackOutcome } from "./frames.js";
import type { StoredConnection } from "./line-store.js";
import { FrameError, Packer, Unpacker } from "./packing.js";

const VERSION = 1;

/** How many effects are left to the next holder: the newest. */
const MAX_EFFECTS = 5_000;

export interface Spool {
  /** Who wrote it: the holder that reads it goes on under this name. */
  readonly instance: string;
  readonly connections: readonly StoredConnection[];
  readonly effects: readonly StoredEffect[];
}

export function packSpool({ instance, connections, effects }: Spool): Buffer {
  const packer = new Packer().u8(VERSION).text(instance);
  packer.list(connections, (into, { id, first, lines, state, closed }) => {
    into
      .text(id)
      .u53(first)
      .list(lines, (each, line) => each.bytes(line));
    into.list(state, packChange).text(closed);
  });
  packer.list(effects.slice(-MAX_EFFECTS), (into, { key, connection, meta, outcome, result }) => {
    packOutcome(into.text(key).text(connection).text(meta), outcome);
    into.optionalText(result);
  });
  return packer.bare();
}

/** Throws a `FrameError` on bytes that are no spool of this version. */
export function unpackSpool(bytes: Buffer): Spool {
  const from = new Unpacker(bytes);
  const version = from.u8();
  if (version !== VERSION) throw new FrameError(`it is of version ${version}`);
  const instance = from.text();
  const connections = from.list((each): StoredConnection => {
    const id = each.text();
    const first = each.u53();
    const lines = each.list((line) => line.bytes());
    return { id, first, lines, state: each.list(unpackChange), closed: each.text() };
  });
  const effects = from.list((each): StoredEffect => {
    const [key, connection, meta] = [each.text(), each.text(), each.text()];
    const outcome = unpackOutcome(each);
    if (outcome === "unknown") throw new FrameError("an effect has no such outcome");
    return { key, connection, meta, outcome, result: each.optionalText() };
  });
  return { instance, connections, effects };
}
