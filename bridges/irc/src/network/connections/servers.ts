import type { ConnectorStorage, Logger } from "@trestle/core";
import { z } from "zod";
import type { StsPolicy } from "../../session/sts.js";
import type { NetworkConfig } from "../../config.js";

/** Where a connection goes. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

const storedSchema = z.object({ port: z.int(), until: z.number() });

export interface ServersOptions {
  readonly config: NetworkConfig;
  readonly storage: ConnectorStorage;
  readonly log: Logger;
}

/** The servers of a network: the next one after each failure, and always with TLS where one has asked for it. */
export class Servers {
  readonly #all: readonly ServerAddress[];
  /** By host: on which port TLS is spoken, and until when, in milliseconds since 1970, nothing else may be. */
  readonly #policies = new Map<string, z.output<typeof storedSchema>>();
  #at = 0;

  constructor(private readonly options: ServersOptions) {
    const { host, port, tls, fallbacks } = options.config;
    const usual = port ?? (tls ? 6697 : 6667);
    this.#all = [{ host, port: usual, tls }, ...fallbacks.map((text) => serverOf(text, usual, tls))];
  }

  /** Reads the policies that were met before. */
  async restore(): Promise<void> {
    for (const { host } of this.#all) {
      const stored = await this.options.storage.get(this.#key(host));
      const policy = stored === undefined ? undefined : storedSchema.safeParse(JSON.parse(stored)).data;
      if (policy) this.#policies.set(host, policy);
    }
  }

  /** Where to connect to now. */
  get current(): ServerAddress {
    const server = this.#all[this.#at] ?? this.#all[0];
    if (!server) throw new Error("a network without a server");
    const policy = server.tls ? undefined : this.#policies.get(server.host);
    return policy && policy.until > Date.now() ? { host: server.host, port: policy.port, tls: true } : server;
  }

  /** Where to connect to now, as the configuration has it. */
  get configured(): string {
    return nameOf(this.#all[this.#at]);
  }

  /** Whether the configuration has a server. */
  knows(configured: string): boolean {
    return this.#all.some((server) => nameOf(server) === configured);
  }

  /** A connection could not be made, or ended at once: the next one goes to the next server. */
  failed({ host }: ServerAddress): void {
    // Many connections fail together when a server does: only the first of them moves on.
    if (this.current.host === host) this.#at = (this.#at + 1) % this.#all.length;
  }

  /** Takes note of what a server says; `true`: this connection must be given up for one with TLS. */
  sts({ host, port, tls }: ServerAddress, policy: StsPolicy): boolean {
    if (!tls) {
      if (policy.port === undefined) return false;
      // Only the connection with TLS says how long it holds; until then long enough to get there.
      this.#policies.set(host, { port: policy.port, until: Date.now() + 300_000 });
      return true;
    }
    if (policy.duration !== undefined) this.#keep(host, port, policy.duration);
    return false;
  }

  #keep(host: string, port: number, seconds: number): void {
    const { storage, log } = this.options;
    const kept = { port, until: Date.now() + seconds * 1000 };
    this.#policies.set(host, kept);
    const stored = seconds === 0 ? storage.delete(this.#key(host)) : storage.set(this.#key(host), JSON.stringify(kept));
    stored.catch((error: unknown) => log.warn({ err: error, host }, "that a server wants TLS could not be stored"));
  }

  #key(host: string): string {
    return `sts:${this.options.config.name}:${host}`;
  }
}

function nameOf(server: ServerAddress | undefined): string {
  return server ? `${server.tls ? "ircs" : "irc"}://${server.host}:${server.port}` : "";
}

/** `host`, `host:port` or `[address]:port`. */
function serverOf(text: string, port: number, tls: boolean): ServerAddress {
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(text) ?? /^([^:]+)(?::(\d+))?$/.exec(text);
  return { host: bracketed?.[1] ?? text, port: bracketed?.[2] === undefined ? port : Number(bracketed[2]), tls };
}
