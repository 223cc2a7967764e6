import { createHmac, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort, patiently, until } from "../bounded.js";
import { Child } from "./child.js";
import type { SynapseInstall } from "./synapse-install.js";

export interface SynapseOptions {
  /** `trestle.test` where absent. */
  readonly serverName?: string;
  /** A free one where absent. */
  readonly port?: number;
  /** The contents of registration files, as YAML or JSON. */
  readonly registrations?: readonly string[];
  /** Keeps Synapse's own limits; all are lifted where absent. */
  readonly rateLimits?: boolean;
  /** Replaces or adds settings of `homeserver.yaml`. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

export interface SynapseUser {
  readonly userId: string;
  readonly accessToken: string;
  readonly deviceId: string;
  readonly password: string;
}

const READY = 60_000;
const LIFTED = { per_second: 10_000, burst_count: 10_000 };

/** A Synapse of its own on a free loopback port, with SQLite in a directory of its own. */
export class Synapse {
  readonly #install: SynapseInstall;
  readonly #directory: string;
  readonly #secret: string;
  readonly #outputs: string[] = [];
  #child: Child | undefined;

  private constructor(
    install: SynapseInstall,
    directory: string,
    secret: string,
    readonly serverName: string,
    readonly port: number,
  ) {
    this.#install = install;
    this.#directory = directory;
    this.#secret = secret;
  }

  /** Resolves when it answers. */
  static async start(install: SynapseInstall, options: SynapseOptions = {}): Promise<Synapse> {
    const directory = await mkdtemp(join(install.workspace, "trestle-synapse-"));
    const serverName = options.serverName ?? "trestle.test";
    const secret = randomBytes(16).toString("hex");
    const synapse = new Synapse(install, directory, secret, serverName, options.port ?? (await freePort()));
    try {
      await synapse.#configure(options);
      await synapse.start();
    } catch (error) {
      await synapse.stop();
      throw error;
    }
    return synapse;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The last that it printed, over all its starts: for messages of failed tests. */
  get output(): string {
    return [...this.#outputs, this.#child?.output ?? ""].join("\n").slice(-8_000);
  }

  get running(): boolean {
    return this.#child?.running ?? false;
  }

  /** Starts it again after `shutdown` or `kill`; resolves when it answers. */
  async start(): Promise<void> {
    if (this.running) return;
    if (this.#child) this.#outputs.push(this.#child.output);
    const { command, args } = this.#install;
    const inside = (path: string) => this.#install.inside(path);
    this.#child = await Child.start(
      "Synapse",
      command,
      [...args, "-c", inside(join(this.#directory, "homeserver.yaml"))],
      {
        // SQLite and Python find their temporary files here; a root entered with chroot has no other.
        env: { TMPDIR: inside(this.#directory), HOME: inside(this.#directory), LC_ALL: "C.UTF-8" },
        ...(inside(this.#directory) === this.#directory ? { cwd: this.#directory } : {}),
      },
    );
    const child = this.#child;
    await until(
      READY,
      "Synapse's /health",
      async () => {
        if (!child.running)
          throw new Error(`Synapse ${child.ended ?? "ended"} instead of starting:\n${child.output.slice(-4_000)}`);
        return (await answers(`${this.url}/health`)) ? true : undefined;
      },
      () => child.output.slice(-4_000),
    );
  }

  /** SIGTERM, and waits for the end; `start` brings it back. */
  async shutdown(): Promise<void> {
    await this.#child?.stop();
  }

  /** SIGKILL, and waits for the end; `start` brings it back. */
  async kill(): Promise<void> {
    await this.#child?.kill();
  }

  async restart(): Promise<void> {
    await this.shutdown();
    await this.start();
  }

  /** Ends it and removes its directory. */
  async stop(): Promise<void> {
    await this.#child?.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** Makes a user through Synapse's shared secret; the only way to an administrator. */
  async registerUser(localpart: string, options: { readonly admin?: boolean } = {}): Promise<SynapseUser> {
    const password = randomBytes(12).toString("base64url");
    const endpoint = `${this.url}/_synapse/admin/v1/register`;
    const nonce = text(await json(await fetch(endpoint)), "nonce");
    const admin = options.admin ?? false;
    const mac = createHmac("sha1", this.#secret)
      .update([nonce, localpart, password, admin ? "admin" : "notadmin"].join("\0"))
      .digest("hex");
    const answer = await json(
      await fetch(endpoint, {
        method: "POST",
        body: JSON.stringify({ nonce, username: localpart, password, admin, mac }),
      }),
    );
    return {
      userId: text(answer, "user_id"),
      accessToken: text(answer, "access_token"),
      deviceId: text(answer, "device_id"),
      password,
    };
  }

  async #configure(options: SynapseOptions): Promise<void> {
    const inside = (name: string) => this.#install.inside(join(this.#directory, name));
    const registrations = (options.registrations ?? []).map((content, index) => ({
      name: `registration-${index}.yaml`,
      content,
    }));
    const settings = {
      server_name: this.serverName,
      public_baseurl: `${this.url}/`,
      pid_file: inside("homeserver.pid"),
      listeners: [
        {
          port: this.port,
          bind_addresses: ["127.0.0.1"],
          type: "http",
          tls: false,
          resources: [{ names: ["client"] }],
        },
      ],
      database: { name: "sqlite3", args: { database: inside("homeserver.db") } },
      media_store_path: inside("media"),
      log_config: inside("log.yaml"),
      signing_key_path: inside("signing.key"),
      report_stats: false,
      trusted_key_servers: [],
      suppress_key_server_warning: true,
      federation_domain_whitelist: [],
      enable_registration: true,
      enable_registration_without_verification: true,
      registration_shared_secret: this.#secret,
      macaroon_secret_key: randomBytes(16).toString("hex"),
      form_secret: randomBytes(16).toString("hex"),
      bcrypt_rounds: 4,
      presence: { enabled: true },
      app_service_config_files: registrations.map(({ name }) => inside(name)),
      ...(options.rateLimits === true ? {} : unlimited()),
      ...options.settings,
    };
    const log = {
      version: 1,
      disable_existing_loggers: false,
      formatters: { line: { format: "%(asctime)s %(levelname)s %(name)s: %(message)s" } },
      handlers: { console: { class: "logging.StreamHandler", formatter: "line" } },
      root: { level: "WARNING", handlers: ["console"] },
    };
    // JSON is YAML. The key is Synapse's own format: algorithm, version, seed in unpadded base64.
    const files = [
      { name: "homeserver.yaml", content: JSON.stringify(settings, null, 2) },
      { name: "log.yaml", content: JSON.stringify(log) },
      { name: "signing.key", content: `ed25519 a_test ${randomBytes(32).toString("base64").replace(/=+$/, "")}\n` },
      ...registrations,
    ];
    await Promise.all(files.map(({ name, content }) => writeFile(join(this.#directory, name), content)));
  }
}

function unlimited(): Record<string, unknown> {
  return {
    rc_message: LIFTED,
    rc_registration: LIFTED,
    rc_login: { address: LIFTED, account: LIFTED, failed_attempts: LIFTED },
    rc_joins: { local: LIFTED, remote: LIFTED },
    rc_joins_per_room: LIFTED,
    rc_invites: { per_room: LIFTED, per_user: LIFTED, per_issuer: LIFTED },
    rc_room_creation: LIFTED,
    rc_media_create: LIFTED,
    rc_presence: { per_user: LIFTED },
  };
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(patiently(2_000)) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

async function json(response: Response): Promise<unknown> {
  const body: unknown = await response.json();
  if (!response.ok) throw new Error(`Synapse answered ${response.status} at ${response.url}: ${JSON.stringify(body)}`);
  return body;
}

function text(body: unknown, key: string): string {
  const value =
    typeof body === "object" && body !== null && key in body ? (body as Record<string, unknown>)[key] : undefined;
  if (typeof value !== "string") throw new Error(`Synapse's answer has no "${key}": ${JSON.stringify(body)}`);
  return value;
}
