import { spawn, type ChildProcessByStdio } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { within } from "./bounded.js";
import type { SlixmppInstall } from "./servers/slixmpp.js";
import type { XmppServer } from "./servers/xmpp-server.js";

const SCRIPT = fileURLToPath(new URL("./xmpp-person.py", import.meta.url));

const text = z.string().nullable();
const lineSchema = z.union([
  z.object({ n: z.number(), ok: z.unknown() }),
  z.object({ n: z.number(), failed: z.string() }),
  z.object({
    stanza: z.object({
      name: z.string(),
      from: text,
      to: text,
      type: text,
      id: text,
      body: text,
      subject: text,
      /** The whole of it. */
      xml: z.string(),
    }),
  }),
  z.object({ disconnected: z.string() }),
]);

export type SeenStanza = Extract<z.output<typeof lineSchema>, { stanza: unknown }>["stanza"];

/** A person who talks XMPP through slixmpp, in a process of their own: a client that nobody of this project wrote. */
export class XmppPerson {
  readonly seen: SeenStanza[] = [];
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #answers = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  readonly #watchers = new Set<() => void>();
  #orders = 0;
  #errors = "";
  jid = "";

  private constructor(process: ChildProcessByStdio<Writable, Readable, Readable>) {
    this.#process = process;
    process.stderr
      .setEncoding("utf8")
      .on("data", (chunk: string) => (this.#errors = (this.#errors + chunk).slice(-9999)));
    // It may be gone before it has read everything.
    process.stdin.on("error", () => undefined);
    process.once("exit", () => {
      for (const { reject } of this.#answers.values()) reject(new Error(`The person ended:\n${this.#errors}`));
      this.#answers.clear();
    });
    createInterface({ input: process.stdout }).on("line", (line) => this.#take(line));
  }

  /** Signs in as `user`, whose password is its name. */
  static async connect(install: SlixmppInstall, server: XmppServer, user: string): Promise<XmppPerson> {
    const child = spawn(install.command, [SCRIPT], { stdio: ["pipe", "pipe", "pipe"] });
    await new Promise<void>((resolve, reject) => child.once("spawn", resolve).once("error", reject));
    const person = new XmppPerson(child);
    try {
      person.jid = z.string().parse(
        await person.#order("connect", {
          jid: `${user}@${server.domain}/desk`,
          password: user,
          port: server.clientPort,
        }),
      );
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    }
    return person;
  }

  /** Resolves when the room has shown the person in it. */
  async join(room: string, nick: string): Promise<void> {
    await this.#order("join", { room, nick });
  }

  /** Returns the message's id. */
  async say(to: string, body: string, options: { readonly type?: string; readonly id?: string } = {}): Promise<string> {
    return z.string().parse(await this.#order("say", { to, body, ...options }));
  }

  /** Sends XML as it stands. */
  async raw(xml: string): Promise<void> {
    await this.#order("raw", { xml });
  }

  /** Asks, and returns the whole answer, an error too. */
  async query(to: string, type: "get" | "set", payload: string): Promise<string> {
    return z.string().parse(await this.#order("query", { to, type, payload }));
  }

  /** The first stanza seen, now or later, of which `wanted` holds. */
  async sees(what: string, wanted: (stanza: SeenStanza) => boolean, milliseconds = 20_000): Promise<SeenStanza> {
    let watcher: (() => void) | undefined;
    const found = new Promise<SeenStanza>((resolve) => {
      watcher = () => {
        const stanza = this.seen.find(wanted);
        if (stanza) resolve(stanza);
      };
      this.#watchers.add(watcher);
      watcher();
    });
    try {
      return await within(milliseconds, what, found, () =>
        this.seen
          .slice(-20)
          .map(({ xml }) => xml.slice(0, 500))
          .join("\n"),
      );
    } finally {
      if (watcher) this.#watchers.delete(watcher);
    }
  }

  async end(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => this.#process.once("exit", () => resolve()));
    this.#process.kill("SIGTERM");
    await within(10_000, "the end of a person", gone);
  }

  #order(what: string, order: Readonly<Record<string, unknown>>): Promise<unknown> {
    const n = ++this.#orders;
    const answer = new Promise((resolve, reject) => this.#answers.set(n, { resolve, reject }));
    this.#process.stdin.write(`${JSON.stringify({ n, do: what, ...order })}\n`);
    return within(30_000, `a person to ${what}`, answer, () => this.#errors);
  }

  #take(line: string): void {
    const read = lineSchema.parse(JSON.parse(line));
    if ("stanza" in read) {
      this.seen.push(read.stanza);
      for (const watcher of [...this.#watchers]) watcher();
    }
    if (!("n" in read)) return;
    const waiting = this.#answers.get(read.n);
    this.#answers.delete(read.n);
    if ("failed" in read) waiting?.reject(new Error(read.failed));
    else waiting?.resolve(read.ok);
  }
}
