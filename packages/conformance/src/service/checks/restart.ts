import { fail, leaveOut } from "../../report/finding.js";
import { until } from "../../waiting.js";
import { NoAnswer } from "../exchange.js";
import { check, type Scene, type ServiceCheck } from "../check.js";
import { shown } from "../probe.js";
import { sections } from "../sections.js";

const comebackMs = 60_000;

async function restarted({ probe, restart }: Scene): Promise<void> {
  if (!restart) leaveOut("there is no --restart-command");
  const [id, body] = [probe.unique("t"), { events: [probe.message()] }];
  await probe.push(body, { id });
  await restart();
  const back = await until(comebackMs, async () => {
    try {
      return (
        (
          await probe.attempt("PUT", `/_matrix/app/v1/transactions/${probe.unique("t")}`, {
            section: "restart",
            body: { events: [] },
          })
        ).status === 200
      );
    } catch (error) {
      if (error instanceof NoAnswer) return false;
      throw error;
    }
  });
  if (back === undefined)
    fail({
      failed: "One minute after the restart command the service does not take transactions.",
      seen: "nothing reaches the bridge",
      look: sections.restart.look,
    });
  for (const [what, again] of [
    ["The transaction from before the restart", id],
    ["A transaction with the id 1 (Synapse counts anew after a restart)", "1"],
  ] as const) {
    const answer = await probe.push(again === id ? body : { events: [probe.message()] }, {
      id: again,
      section: "restart",
    });
    if (answer.status !== 200)
      fail({
        failed: `${what} is answered ${answer.status} ${shown(answer.text)} after a restart.`,
        seen: "the homeserver sends it again for ever",
        look: sections.restart.look,
      });
  }
}

export const restartChecks: readonly ServiceCheck[] = [
  check("restart", "transactions", "must", "After a restart, transactions are taken as before", restarted),
];
