import type { Client } from "../client.js";
import type { Network } from "../network.js";

/**
 * Puts what `tell` sends into a batch, for a client that asked for batches; `tell` gets the batch's reference, for the
 * stamps of its lines.
 */
export function inBatch(
  network: Network,
  client: Client,
  type: string,
  params: readonly string[],
  tell: (batch: string | undefined) => void,
): void {
  if (!client.has("batch")) {
    tell(undefined);
    return;
  }
  const batch = network.nextId("b");
  network.say(client, "BATCH", [`+${batch}`, type, ...params]);
  tell(batch);
  network.say(client, "BATCH", [`-${batch}`]);
}
