import type { Database, Statement } from "better-sqlite3";

type Value = number | string;

/** So many rows go with one statement: a call of its own for each costs more than the row. */
const rowsTogether = 32;

/** Inserts many rows of one kind. */
export class RowInserter {
  readonly #together: Statement<Value[]>;
  readonly #single: Statement<Value[]>;
  readonly #columns: number;

  /** `into` is the statement up to its values, e.g. `INSERT INTO seen (hash)`. */
  constructor(db: Database, into: string, columns: number) {
    const row = `(${Array.from({ length: columns }, () => "?").join(", ")})`;
    this.#columns = columns;
    this.#single = db.prepare(`${into} VALUES ${row}`);
    this.#together = db.prepare(`${into} VALUES ${Array.from({ length: rowsTogether }, () => row).join(", ")}`);
  }

  /** Takes the values of all rows, one row after the other. */
  insert(values: readonly Value[]): void {
    const step = rowsTogether * this.#columns;
    let at = 0;
    for (; at + step <= values.length; at += step) this.#together.run(...values.slice(at, at + step));
    for (; at < values.length; at += this.#columns) this.#single.run(...values.slice(at, at + this.#columns));
  }
}
