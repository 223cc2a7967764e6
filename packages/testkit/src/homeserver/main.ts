import { ControlServer } from "./control/control-server.js";
import { Homeserver } from "./homeserver.js";
import { isObject, parseJson } from "./json.js";
import { readOptions } from "./control/options.js";

/**
 * A homeserver in a process of its own. Options are a JSON object, the first argument or the environment variable
 * `TRESTLE_HOMESERVER`: those of `HomeserverOptions`, `controlPort`, and `exitWithStdin` (ends when stdin does).
 * Prints one line of JSON once it listens: `{"url", "controlUrl", "pid"}`. Ends on SIGTERM, SIGINT, and when the
 * parent closes the IPC channel.
 */
async function main(): Promise<void> {
  const value = parseJson(process.argv[2] ?? process.env["TRESTLE_HOMESERVER"] ?? "{}");
  if (!isObject(value)) throw new Error("the options must be a JSON object");
  const options = readOptions(value);
  const homeserver = await Homeserver.start(options.homeserver);
  const control = new ControlServer(homeserver);
  const controlUrl = await control.listen(options.controlPort);
  let ending = false;
  const end = (): void => {
    if (ending) return;
    ending = true;
    void Promise.allSettled([control.close(), homeserver.stop()]).then(([, stopped]) => {
      if (stopped.status === "rejected") process.stderr.write(`${String(stopped.reason)}\n`);
      process.exit(stopped.status === "rejected" ? 1 : 0);
    });
  };
  process.on("SIGTERM", end);
  process.on("SIGINT", end);
  process.on("disconnect", end);
  if (options.exitWithStdin) process.stdin.on("end", end).resume();
  process.stdout.write(`${JSON.stringify({ url: homeserver.url, controlUrl, pid: process.pid })}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`homeserver: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
