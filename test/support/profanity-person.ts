import { spawn, type ChildProcess } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until, within } from "./bounded.js";
import type { ProfanityInstall } from "./servers/profanity.js";
import type { XmppServer } from "./servers/xmpp-server.js";

const patienceMs = 30_000;

const settings = `[logging]
chlog=true
grlog=true
[ui]
splash=false
[notifications]
message=false
room=false
invite=false
`;

/** A person who talks XMPP through Profanity: typed into its terminal, and read in its log, which has every stanza. */
export class ProfanityPerson {
  readonly #process: ChildProcess;

  private constructor(
    process: ChildProcess,
    private readonly directory: string,
  ) {
    this.#process = process;
    process.stdin?.on("error", () => undefined);
    // What it draws is not read; nobody must wait for it.
    process.stdout?.resume();
  }

  /** Signs in as `user`, whose password is its name. The server must offer TLS. */
  static async connect(install: ProfanityInstall, server: XmppServer, user: string): Promise<ProfanityPerson> {
    const directory = await mkdtemp(join(tmpdir(), "trestle-profanity-"));
    await mkdir(join(directory, "profanity"));
    await writeFile(join(directory, "profanity", "profrc"), settings);
    const run = `stty rows 50 cols 200; exec '${install.command}' -l DEBUG -f '${directory}/log'`;
    const child = spawn(install.script, ["-qfec", run, "/dev/null"], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, XDG_CONFIG_HOME: directory, XDG_DATA_HOME: directory, TERM: "xterm", LANG: "C.UTF-8" },
    });
    const person = new ProfanityPerson(child, directory);
    try {
      await until(patienceMs, "Profanity to start", async () => (await person.#log()) !== "" || undefined);
      person.types(`/connect ${user}@${server.domain} server ${server.host} port ${server.clientPort} tls trust`);
      // It asks for the password at once.
      person.types(user);
      await person.sees("its session", /RECV: <iq[^>]*type="result"/);
    } catch (error) {
      await person.end();
      throw error;
    }
    return person;
  }

  /** Types a line, and the key at its end. */
  types(line: string): void {
    this.#process.stdin?.write(`${line}\r`);
  }

  /** Resolves when a line of the log is like this; the line. `RECV: ` and `SENT: ` stand before stanzas. */
  async sees(what: string, pattern: RegExp): Promise<string> {
    return until(
      patienceMs,
      `${what} in Profanity`,
      async () => (await this.#log()).split("\n").find((line) => pattern.test(line)),
      () => `It is not in the log of ${this.directory}`,
    );
  }

  async end(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const gone = new Promise<void>((resolve) => this.#process.once("exit", () => resolve()));
      this.#process.kill("SIGTERM");
      await within(10_000, "the end of Profanity", gone);
    }
    await rm(this.directory, { recursive: true, force: true });
  }

  async #log(): Promise<string> {
    return readFile(join(this.directory, "log"), "utf8").catch(() => "");
  }
}
