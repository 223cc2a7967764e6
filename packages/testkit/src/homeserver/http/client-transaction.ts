import { MatrixError } from "../errors.js";
import type { RequestContext } from "./context.js";
import type { Reply } from "./reply.js";

/** Runs `make` once for each client transaction, recognising repeats in the way of the homeserver the faults name. */
export function oncePerTransaction(
  context: RequestContext,
  make: () => Reply | Promise<Reply>,
): Reply | Promise<Reply> {
  const { transactions, faults } = context.world;
  if (faults.clientTransactions !== "construct") return transactions.once(transactionKey(context), make);
  const txnId = context.param("txnId");
  if (transactions.isAmongLatest(context.userId, txnId)) {
    throw new MatrixError(409, "M_DUPLICATE_TXNID", `Already processed request with txnid '${txnId}'`);
  }
  const answer = make();
  transactions.addLatest(context.userId, txnId);
  return answer;
}

function transactionKey(context: RequestContext): string {
  const { userId, deviceId, service } = context.requester;
  switch (context.world.faults.clientTransactions) {
    case "tuwunel":
      return JSON.stringify([userId, deviceId ?? "", context.param("txnId")]);
    case "spec":
      return JSON.stringify([context.path, userId, deviceId ?? ""]);
    default:
      // Dendrite has the token in the key; with an application service's it names the service, not the ghost.
      return JSON.stringify([context.path, service === undefined ? [userId, deviceId ?? ""] : service.info.id]);
  }
}
