import { createReadStream, existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { isRow, type Row } from "./row.js";

/** A document. */
export type NedbDocument = Row;

/** A NeDB file: what is in it, in the order in which it first came, and how many lines could not be read. */
export interface NedbContent {
  readonly documents: ReadonlyMap<string, NedbDocument>;
  readonly unreadable: number;
}

/**
 * Reads a file of NeDB: JSON documents by line, of which the last one with an `_id` counts, and notices that one was
 * deleted. The last line may be torn where the process died. Where the file is missing, the copy counts that NeDB
 * leaves when it dies while it compacts. `undefined`: there is neither.
 */
export async function readNedb(file: string): Promise<NedbContent | undefined> {
  const path = [file, `${file}~`].find((each) => existsSync(each));
  if (path === undefined) return undefined;
  const documents = new Map<string, NedbDocument>();
  let unreadable = 0;
  const lines = createInterface({ input: createReadStream(path, "utf8"), crlfDelay: Number.POSITIVE_INFINITY });
  for await (const line of lines) {
    if (line === "") continue;
    const document = parse(line);
    const id = document?._id;
    if (document && typeof id === "string" && id !== "") {
      if (document.$$deleted === true) documents.delete(id);
      else documents.set(id, document);
    } else if (!document || !("$$indexCreated" in document || "$$indexRemoved" in document)) {
      unreadable += 1;
    }
  }
  return { documents, unreadable };
}

function parse(line: string): NedbDocument | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isRow(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
