import { fail } from "../../report/finding.js";
import { check, needs, type ConnectorCheck } from "../check.js";
import { expectArrived, textsAt } from "../relay.js";
import type { Stage } from "../stage.js";

async function refused(stage: Stage): Promise<void> {
  const mark = stage.mark();
  const accept = await stage.fake.refuse?.(stage.channel());
  await stage.tell(mark);
  const { queue } = stage.life.services;
  const dead = await stage.until(async () => (await queue.list({ state: "dead", direction: "toNetwork" })).length > 0);
  const told = dead && (await stage.until(() => stage.byBot().some(({ kind }) => kind === "message")));
  accept?.();
  if (textsAt(stage, "toNetwork", 0).some((text) => text.includes(mark)))
    fail({
      failed: "The network was to refuse a message, but people on it saw it.",
      seen: "nothing wrong; the check could not be carried through",
      look: "`refuse` of the fake network",
    });
  if (dead === undefined)
    fail({
      failed: "The network refused a message for good, and the bridge kept no dead letter.",
      seen: "the message is gone; neither its sender nor the operator is told",
      look: "the connector's `message`: answer `refused(reason)` when the network says no",
    });
  if (told !== true)
    fail({
      failed: "The network refused a message for good; it is a dead letter, but its sender was not told.",
      seen: "the sender believes that the message was read",
      look: "`Undelivered` of the core (the bot must be able to speak in the room)",
    });
  await queue.replay("all");
  await expectArrived(stage, {
    direction: "toNetwork",
    marks: [mark],
    story: "When the network took messages again and the dead letter was replayed",
  });
}

async function outageShown(stage: Stage): Promise<void> {
  const connected = async (): Promise<number> => {
    const { bridges } = await stage.life.services.status();
    return bridges.flatMap(({ connections }) => connections).filter(({ state }) => state === "connected").length;
  };
  const before = await connected();
  if (before === 0)
    fail({
      failed: "The bridge relays, but no connection is reported as connected.",
      seen: "`trestle status`, the metrics and /ready know nothing of the network",
      look: "`network.report` in the connector's `connect`",
    });
  await stage.fake.disconnect();
  const noticed = await stage.until(async () => (await connected()) < before);
  await stage.fake.reconnect();
  if (noticed === undefined)
    fail({
      failed: "The network was away, and the bridge still reported every connection as connected.",
      seen: "an operator looks for the fault everywhere but where it is",
      look: 'where the connector notices that a connection is lost: `network.report({ state: "waiting" })`',
    });
  const back = await stage.until(async () => (await connected()) >= 1);
  if (back === undefined)
    fail({
      failed: "The network was back, and the bridge did not report it.",
      seen: "the bridge is shown as broken for ever, and what waits is sent late",
      look: '`network.report({ state: "connected" })` after each connection: it also wakes what waits and asks `catchUp`',
    });
}

async function leaves(stage: Stage): Promise<void> {
  await stage.life.stop();
  const gone = await stage.until(() => stage.fake.connected?.() === false);
  if (gone === undefined)
    fail({
      failed: "The bridge was stopped in good order, and it is still on the network.",
      seen: "a bridge that is there and answers to nothing",
      look: "the connector's `close`",
    });
}

export const silentChecks: readonly ConnectorCheck[] = [
  check("silent.refused", "What the network refuses becomes a dead letter, and its sender is told", refused, {
    without: needs("refuse"),
    // A sender is told only so often; and all dead letters are replayed.
    alone: true,
  }),
  check("silent.outage", "An outage of the network is shown, and its end", outageShown, { level: "should" }),
  check("silent.stop", "A bridge that is stopped leaves the network", leaves, {
    without: needs("connected"),
    alone: true,
    level: "should",
  }),
];
