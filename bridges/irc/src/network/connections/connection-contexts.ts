import type { Network } from "@trestle/core";
import type { NetworkConfig } from "../../config.js";
import type { HolderClient } from "../../holder-client/holder-client.js";
import type { ConnectionContext } from "../../session/connection.js";
import type { Intake } from "../../session/intake.js";
import type { Pace } from "../../session/pace.js";
import type { Credentials } from "../../session/sasl/credentials.js";
import type { Role } from "../../session/state.js";
import type { LineDecoder } from "../../wire/encoding.js";
import { formatMessage } from "../../wire/message.js";
import type { ChannelKeys } from "../channels/channel-keys.js";
import { openOptions } from "./open-options.js";
import { isOutdated, originOf } from "./origin.js";
import type { Servers } from "./servers.js";
import { addressOf, hostWordOf } from "./user-address.js";
import { usernameOf } from "./usernames.js";

export interface ConnectionContextsOptions {
  readonly config: NetworkConfig;
  /** PEM certificates to trust instead of the system's. */
  readonly ca: string | undefined;
  readonly core: Network;
  readonly holder: HolderClient;
  readonly servers: Servers;
  readonly pace: Pace;
  readonly keys: ChannelKeys;
  readonly decoder: LineDecoder;
  readonly intake: Intake;
  /** What puppets' addresses are made with. */
  readonly addressKey: Uint8Array;
  /** How long a user name may be. */
  readonly userLength: () => number;
}

/** How connections of one network are made: where to, from where, and for whom. */
export class ConnectionContexts {
  constructor(private readonly options: ConnectionContextsOptions) {}

  of(role: Role, credentials: Credentials | undefined): ConnectionContext {
    const { config, ca, holder, core, pace, keys, decoder, intake, servers } = this.options;
    const server = servers.current;
    const origin = originOf(config, role, this.options.addressKey, servers);
    return {
      origin,
      isOutdated: (held) => isOutdated(held, origin, servers),
      holder,
      config,
      username: usernameOf(config, role, { key: this.options.addressKey, length: this.options.userLength() }),
      flood: pace,
      open: openOptions(config, {
        server,
        ca,
        localAddress: this.#localAddress(role),
        credentials,
      }),
      webirc: this.#webirc(role),
      onSts: (policy) => servers.sts(server, policy),
      credentials,
      keyOf: (channel) => keys.of(channel),
      decoder,
      intake,
      log: core.log,
    };
  }

  /** `WEBIRC password gateway hostname ip`, where the network lets this gateway name its users. */
  #webirc({ user }: Role): string | undefined {
    const { webirc, ipv6Prefix } = this.options.config;
    if (!webirc || user === undefined) return undefined;
    const { addressKey } = this.options;
    const host = `${hostWordOf(addressKey, user)}.${webirc.hosts.replace(/^\.+/, "")}`;
    return formatMessage("WEBIRC", [webirc.password, webirc.gateway, host, addressOf(addressKey, user, ipv6Prefix)]);
  }

  #localAddress({ user }: Role): string | undefined {
    const { localAddress, ipv6Prefix } = this.options.config;
    const own = ipv6Prefix !== undefined && user !== undefined;
    return own ? addressOf(this.options.addressKey, user, ipv6Prefix) : localAddress;
  }
}
