import { appendCode, BatchReader, doneCode, type Batch } from "./batch.js";
import type { Writer } from "./writes.js";

/** Runs a whole batch; returns the results of all its writes, in order. */
export function runBatch(writer: Writer, batch: Batch): number[] {
  const reader = new BatchReader(batch);
  const results: number[] = [];
  if (batch.entries > 0) writer.journal.begin(batch.segment, batch.entries);
  while (reader.more) {
    for (let writes = reader.number(); writes > 0; writes -= 1) results.push(runNext(writer, reader));
  }
  return results;
}

function runNext(writer: Writer, reader: BatchReader): number {
  const code = reader.number();
  if (reader.isPacked && code === appendCode) return writer.journal.appendNext(reader.number());
  if (reader.isPacked && code === doneCode) return writer.journal.done(reader.number());
  return writer.run(reader.write(code));
}
