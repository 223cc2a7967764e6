import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Json, JsonObject } from "../json.js";
import { isObject, parseJson, stringField } from "../json.js";
import { TestClient } from "../client/test-client.js";

/** A homeserver in a process of its own, with the same switches; for suites that kill what they test, or measure it. */
export class HomeserverProcess {
  private constructor(
    readonly child: ChildProcess,
    /** Base URL of the homeserver. */
    readonly url: string,
    /** Base URL of the control endpoint. */
    readonly controlUrl: string,
  ) {}

  /** Starts the process and waits until it listens. The options are those of `Homeserver.start`, as JSON. */
  static async start(options: JsonObject = {}): Promise<HomeserverProcess> {
    const script = fileURLToPath(new URL("../main.js", import.meta.url));
    const child = spawn(process.execPath, [script, JSON.stringify({ exitWithStdin: true, ...options })], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    let complaint = "";
    const listen = (chunk: Buffer): void => void (complaint += chunk.toString());
    child.stderr.on("data", listen);
    const lines = createInterface({ input: child.stdout });
    const first = await new Promise<string>((resolve, reject) => {
      lines.once("line", resolve);
      child.once("error", reject);
      child.once("close", (code) => {
        reject(new Error(`the homeserver process ended at once with code ${code ?? "none"}: ${complaint.trim()}`));
      });
    });
    child.stderr.off("data", listen).pipe(process.stderr, { end: false });
    const ready = parseJson(first);
    if (!isObject(ready)) throw new Error(`the homeserver process printed: ${first}`);
    return new HomeserverProcess(child, stringField(ready, "url") ?? "", stringField(ready, "controlUrl") ?? "");
  }

  /** Sends a command to the control endpoint, for example `control("faults", { duplicateTransactions: 1 })`. */
  async control(command: string, body: JsonObject = {}): Promise<Json> {
    const answer = await fetch(`${this.controlUrl}/${command}`, { method: "POST", body: JSON.stringify(body) });
    const value = parseJson(await answer.text());
    if (!answer.ok || value === undefined)
      throw new Error(`control ${command}: ${answer.status} ${JSON.stringify(value)}`);
    return value;
  }

  /** Makes a user and a client that speaks to the homeserver over HTTP. */
  async createClient(localpart: string): Promise<TestClient> {
    const user = await this.control("create-user", { localpart });
    if (!isObject(user)) throw new Error("create-user gave no user");
    return new TestClient(this.url, stringField(user, "accessToken") ?? "", stringField(user, "userId") ?? "");
  }

  /** Ends it with `signal`, by default in order. Resolves with its exit code, `null` where the signal ended it. */
  stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return Promise.resolve(this.child.exitCode);
    return new Promise((resolve) => {
      this.child.once("exit", (code) => resolve(code));
      this.child.kill(signal);
    });
  }
}
