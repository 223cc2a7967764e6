import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { formatRegistration, generateRegistration } from "@trestle/core";
import type { RegistrationDocument } from "@trestle/core";
import { dump } from "js-yaml";
import type { NetworkSide } from "./network.js";

/** The bridge's name in its configuration. */
const NAME = "playground";

export interface PlaygroundFilesOptions {
  readonly directory: string;
  readonly serverName: string;
  /** Where the homeserver reaches the bridge. */
  readonly listenPort: number;
  readonly botLocalpart: string;
  readonly protocol: string;
  /** What the user ids of the network's people begin with. */
  readonly prefix: string;
}

export interface BridgeConfigOptions {
  readonly homeserverUrl: string;
  readonly admin: string;
  readonly room: string;
  readonly connector: string;
  readonly side: Pick<NetworkSide, "link" | "settings" | "bridge">;
}

/** The files of a bridge, as `trestle init` makes them, in a directory that goes away afterwards. */
export class PlaygroundFiles {
  readonly registration: RegistrationDocument;

  constructor(private readonly options: PlaygroundFilesOptions) {
    this.registration = generateRegistration({
      id: "trestle-playground",
      url: `http://127.0.0.1:${options.listenPort}`,
      serverName: options.serverName,
      prefix: options.prefix,
      botLocalpart: options.botLocalpart,
      protocols: [options.protocol],
    });
  }

  get configPath(): string {
    return join(this.options.directory, "trestle.yaml");
  }

  get dataDirectory(): string {
    return join(this.options.directory, "data");
  }

  get logPath(): string {
    return join(this.options.directory, "bridge.log");
  }

  async write(bridge: BridgeConfigOptions): Promise<void> {
    const { directory } = this.options;
    const registration = formatRegistration(this.registration, "The playground's registration.");
    await writeFile(join(directory, "registration.yaml"), registration, { mode: 0o600 });
    await writeFile(this.configPath, dump(this.#config(bridge), { lineWidth: 120 }), { mode: 0o600 });
  }

  #config(bridge: BridgeConfigOptions): object {
    const { side, connector } = bridge;
    return {
      homeserver: { url: bridge.homeserverUrl, name: this.options.serverName },
      listen: { host: "127.0.0.1", port: this.options.listenPort },
      operations: { host: "127.0.0.1", port: 0 },
      media: { host: "127.0.0.1", port: 0 },
      dataDirectory: "./data",
      encryptionKey: randomBytes(32).toString("hex"),
      permissions: { "*": "relay", [this.options.serverName]: "user", [bridge.admin]: "admin" },
      log: { level: "info", format: "json" },
      bridges: [
        {
          name: NAME,
          connector,
          registration: "./registration.yaml",
          links: [{ room: bridge.room, channel: side.link }],
          ...side.bridge,
          network: side.settings,
        },
      ],
    };
  }
}
