import { serve } from "../../tools/rpc.js";
import { quantile } from "../../tools/statistics.js";
import { waitFor } from "../../tools/wait.js";
import { loadApi, type Counters } from "./api.js";
import { Generator } from "./generator.js";
import { MockHomeserver } from "./homeserver.js";
import { BareHttpServer } from "./http-server.js";
import { TransactionPusher } from "./pusher.js";

let pusher: TransactionPusher | undefined;
const generator = new Generator(() => {
  if (!pusher) throw new Error("There is no bridge to push to");
  return pusher;
});
const homeserver = new MockHomeserver((room, content) => generator.arrived(room, content));
const server = new BareHttpServer((method, target, body) => homeserver.answer(method, target, body));

function counters(): Counters {
  return { ...generator.totals(), repeated: homeserver.repeated, requests: homeserver.requests() };
}

serve(loadApi, {
  listen: async () => ({ port: await server.listen() }),
  target: ({ port, token }) => {
    pusher?.close();
    pusher = new TransactionPusher(port, token);
    return {};
  },
  start: (plan) => {
    generator.start(plan);
    return {};
  },
  stop: () => {
    generator.stop();
    return {};
  },
  sample: () => {
    const latencies = generator.takeLatencies();
    const at = performance.now();
    const of = (share: number): number | null => (latencies.length > 0 ? quantile(latencies, share) : null);
    return { at, counters: counters(), p50: of(0.5), p99: of(0.99) };
  },
  drain: async ({ timeoutMs }) => {
    await waitFor("the last message", timeoutMs, () => generator.totals().arrived >= generator.totals().sent, 10).catch(
      () => undefined,
    );
    return { elapsedMs: generator.elapsed(), counters: counters() };
  },
  touch: async ({ from, to }) => {
    await generator.touch(from, to);
    return {};
  },
  cost: ({ join, other }) => {
    homeserver.cost = join === undefined || other === undefined ? undefined : { join, other };
    return {};
  },
});
