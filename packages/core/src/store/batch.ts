import { journalHash } from "./hash.js";
import { SegmentPacker, unpackSegment, type JournalEntry } from "./segment.js";
import { codeOf, entryOf, nameOf, numberAt, standsAlone, type Sql, type Write } from "./writes.js";

/**
 * Units of writes in the form that crosses to another thread most cheaply: a few values, however many writes. `numbers`
 * has for each unit its number of writes, for each write its code and its number of parameters, and for each parameter
 * its kind: a length for a text, which `text` continues with, or one of those below. The two writes that every message
 * has are shorter: `done` has its parameter alone, and `append` the hash of its entry, which is in `segment`.
 */
export interface Batch {
  readonly numbers: Float64Array<ArrayBuffer>;
  readonly text: string;
  readonly blobs: readonly Uint8Array[];
  /** All entries to be journaled, as they go to the disk; empty where each is written like every other write. */
  readonly segment: string;
  readonly entries: number;
}

export const appendCode = codeOf("append");
export const doneCode = codeOf("done");

const isNull = -1;
const isNumber = -2;
const isBlob = -3;

class NumberList {
  #values = new Float64Array(1_024);
  #length = 0;

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new Float64Array(2 * this.#length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = value;
  }

  take(): Float64Array<ArrayBuffer> {
    const taken = this.#values.slice(0, this.#length);
    this.#length = 0;
    if (this.#values.length > 65_536) this.#values = new Float64Array(1_024);
    return taken;
  }
}

const list = new NumberList();

export function encodeBatch(units: readonly (readonly Write[])[], seed: number): Batch {
  const packer = units.every((unit) => unit.every(isPackable)) ? new SegmentPacker() : undefined;
  const blobs: Uint8Array[] = [];
  let text = "";
  for (const unit of units) {
    list.push(unit.length);
    for (const write of unit) {
      const code = codeOf(write[0]);
      list.push(code);
      if (packer && code === appendCode) {
        const entry = entryOf(write);
        packer.add(entry);
        list.push(journalHash(entry, seed));
      } else if (packer && code === doneCode) list.push(numberAt(write, 1));
      else text += encodeParameters(write, blobs);
    }
  }
  return { numbers: list.take(), text, blobs, segment: packer?.body() ?? "", entries: packer ? packer.count : -1 };
}

/**
 * Where something looks at the journal in between, each entry is written in its turn; so it is where one is not what
 * `append` takes, so that its unit alone fails.
 */
function isPackable(write: Write): boolean {
  const [name, one, two, lane, source, at, payload] = write;
  if (name === "done") return typeof one === "number";
  if (name !== "append") return !standsAlone(name);
  return (
    typeof one === "number" &&
    typeof two === "number" &&
    typeof lane === "string" &&
    typeof source === "string" &&
    typeof at === "number" &&
    typeof payload === "string"
  );
}

function encodeParameters(write: Write, blobs: Uint8Array[]): string {
  let text = "";
  list.push(write.length - 1);
  for (let at = 1; at < write.length; at += 1) {
    const value = write[at] ?? null;
    if (typeof value === "string") {
      list.push(value.length);
      text += value;
    } else if (typeof value === "number") {
      list.push(isNumber);
      list.push(value);
    } else if (value === null) list.push(isNull);
    else {
      list.push(isBlob);
      blobs.push(value);
    }
  }
  return text;
}

/** Reads a batch value by value. */
export class BatchReader {
  #at = 0;
  #from = 0;
  #blob = 0;

  constructor(readonly batch: Batch) {}

  get more(): boolean {
    return this.#at < this.batch.numbers.length;
  }

  get isPacked(): boolean {
    return this.batch.entries >= 0;
  }

  number(): number {
    return this.batch.numbers[this.#at++] ?? 0;
  }

  parameter(): Sql {
    const kind = this.number();
    if (kind === isNumber) return this.number();
    if (kind === isNull) return null;
    if (kind === isBlob) return this.batch.blobs[this.#blob++] ?? null;
    this.#from += kind;
    return this.batch.text.slice(this.#from - kind, this.#from);
  }

  write(code: number): Write {
    const parameters: Sql[] = [];
    for (let left = this.number(); left > 0; left -= 1) parameters.push(this.parameter());
    return [nameOf(code), ...parameters];
  }
}

/** The writes one by one: where they have to be tried each on its own. */
export function decodeBatch(batch: Batch): Write[][] {
  const reader = new BatchReader(batch);
  const entries = batch.entries > 0 ? unpackSegment(1, batch.segment).values() : [].values();
  const units: Write[][] = [];
  while (reader.more) {
    const unit: Write[] = [];
    for (let writes = reader.number(); writes > 0; writes -= 1) {
      const code = reader.number();
      if (reader.isPacked && code === appendCode) {
        reader.number();
        const entry: JournalEntry | undefined = entries.next().value;
        if (entry)
          unit.push(["append", entry.bridge, entry.direction, entry.lane, entry.source, entry.at, entry.payload]);
      } else if (reader.isPacked && code === doneCode) unit.push(["done", reader.number()]);
      else unit.push(reader.write(code));
    }
    units.push(unit);
  }
  return units;
}
