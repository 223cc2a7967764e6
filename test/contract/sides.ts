import { Homeserver } from "@trestle/testkit";
import { FakeService } from "../../packages/testkit/test/homeserver-support.js";
import { Synapse } from "../support/servers/synapse.js";
import type { SynapseInstall } from "../support/servers/synapse-install.js";
import { AS_TOKEN } from "./stage.js";

const SERVER_NAME = "contract.test";

/** A homeserver with one application service that notes what it receives. */
export interface Side {
  readonly name: string;
  readonly url: string;
  readonly serverName: string;
  readonly service: FakeService;
  stop(): Promise<void>;
}

function registration(url: string): Record<string, unknown> {
  return {
    id: "contract",
    url,
    as_token: AS_TOKEN,
    hs_token: "hs-token-of-the-contract",
    sender_localpart: "contractbot",
    rate_limited: false,
    receive_ephemeral: true,
    protocols: ["contractnet"],
    namespaces: {
      users: [{ regex: "^@contract_.*:contract\\.test$", exclusive: true }],
      aliases: [{ regex: "^#contract_.*:contract\\.test$", exclusive: true }],
      rooms: [],
    },
  };
}

/** The homeserver of the test kit, as Synapse. */
export async function testKitSide(): Promise<Side> {
  const service = await FakeService.start();
  const homeserver = await Homeserver.start({
    serverName: SERVER_NAME,
    profile: "synapse",
    registrations: [registration(service.url)],
    // The cases make wrong requests on purpose.
    expectDeviations: true,
  });
  return {
    name: "test kit",
    url: homeserver.url,
    serverName: SERVER_NAME,
    service,
    stop: async () => {
      await homeserver.stop();
      await service.close();
    },
  };
}

/** The real Synapse. */
export async function synapseSide(install: SynapseInstall): Promise<Side> {
  const service = await FakeService.start();
  const synapse = await Synapse.start(install, {
    serverName: SERVER_NAME,
    registrations: [JSON.stringify(registration(service.url))],
  });
  return {
    name: "Synapse",
    url: synapse.url,
    serverName: SERVER_NAME,
    service,
    stop: async () => {
      await synapse.stop();
      await service.close();
    },
  };
}
