import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until, within } from "./bounded.js";
import type { GoSendxmppInstall } from "./servers/go-sendxmpp.js";
import type { XmppServer } from "./servers/xmpp-server.js";

const patienceMs = 30_000;

/** A person who talks XMPP through go-sendxmpp: one run of it listens, and each thing they say is a run of its own. */
export class GoSendxmpp {
  readonly #running = new Set<ChildProcess>();
  #heard = "";

  private constructor(
    private readonly install: GoSendxmppInstall,
    private readonly server: XmppServer,
    private readonly user: string,
    private readonly directory: string,
  ) {}

  /** Signs in as `user`, whose password is its name, and listens. The server must offer TLS. */
  static async connect(install: GoSendxmppInstall, server: XmppServer, user: string): Promise<GoSendxmpp> {
    const directory = await mkdtemp(join(tmpdir(), "trestle-go-sendxmpp-"));
    const person = new GoSendxmpp(install, server, user, directory);
    const listening = person.#start(["-l"]);
    for (const stream of [listening.stdout, listening.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => (person.#heard += text));
    return person;
  }

  /** Says something to a person. */
  async say(to: string, body: string): Promise<void> {
    await this.#run([to], body);
  }

  /** Says something in a room, which is entered and left for it. */
  async sayIn(room: string, nick: string, body: string): Promise<void> {
    await this.#run(["-c", "-a", nick, room], body);
  }

  /** Uploads a file (XEP-0363), and says where it is. */
  async sendFile(to: string, name: string, bytes: Uint8Array): Promise<void> {
    const file = join(this.directory, name);
    await writeFile(file, bytes);
    await this.#run(["-h", file, to]);
  }

  /** Resolves to the line that it printed of something somebody said, now or later. */
  async hears(what: string, text: string): Promise<string> {
    return until(
      patienceMs,
      what,
      () => this.#heard.split("\n").find((line) => line.includes(text)),
      () => this.#heard.slice(-2_000),
    );
  }

  async end(): Promise<void> {
    for (const child of this.#running) child.kill("SIGKILL");
    await rm(this.directory, { recursive: true, force: true });
  }

  async #run(args: readonly string[], input = ""): Promise<void> {
    const child = this.#start(args);
    let said = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (said += text));
    const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
    child.stdin?.end(input);
    const status = await within(patienceMs, `go-sendxmpp ${args.join(" ")}`, ended, () => said);
    if (status !== 0) throw new Error(`go-sendxmpp ended with ${status}: ${said}`);
  }

  #start(args: readonly string[]): ChildProcess {
    const { clientPort, host, domain } = this.server;
    const account = ["-u", `${this.user}@${domain}`, "-p", this.user, "-j", `${host}:${clientPort}`, "-n"];
    const env = {
      ...process.env,
      HOME: this.directory,
      XDG_CONFIG_HOME: this.directory,
      XDG_DATA_HOME: this.directory,
    };
    const child = spawn(this.install.command, [...account, ...args], { stdio: ["pipe", "pipe", "pipe"], env });
    this.#running.add(child);
    child.once("exit", () => this.#running.delete(child));
    // It need not read what it is given.
    child.stdin.on("error", () => undefined);
    return child;
  }
}
