import { nameOf, codeOf, type Sql, type Write } from "./writes.js";

/**
 * Units of writes in the form that crosses to another thread most cheaply: three values, however many writes. `numbers`
 * has for each unit its number of writes, for each write its code and its number of parameters, and for each parameter
 * its kind: a length for a text, which `text` continues with, or one of those below.
 */
export interface Batch {
  readonly numbers: Float64Array<ArrayBuffer>;
  readonly text: string;
  readonly blobs: readonly Uint8Array[];
}

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

export function encodeBatch(units: readonly (readonly Write[])[]): Batch {
  let text = "";
  const blobs: Uint8Array[] = [];
  for (const unit of units) {
    list.push(unit.length);
    for (const write of unit) {
      list.push(codeOf(write[0]));
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
    }
  }
  return { numbers: list.take(), text, blobs };
}

export function decodeBatch({ numbers, text, blobs }: Batch): Write[][] {
  const units: Write[][] = [];
  let at = 0;
  let from = 0;
  let blob = 0;
  const next = (): number => numbers[at++] ?? 0;
  const parameter = (): Sql => {
    const kind = next();
    if (kind === isNumber) return next();
    if (kind === isNull) return null;
    if (kind === isBlob) return blobs[blob++] ?? null;
    from += kind;
    return text.slice(from - kind, from);
  };
  while (at < numbers.length) {
    const unit: Write[] = [];
    for (let writes = next(); writes > 0; writes -= 1) {
      const name = nameOf(next());
      const parameters: Sql[] = [];
      for (let left = next(); left > 0; left -= 1) parameters.push(parameter());
      unit.push([name, ...parameters]);
    }
    units.push(unit);
  }
  return units;
}
