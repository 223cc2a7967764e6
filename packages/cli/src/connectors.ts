import { loadConnector, toJsonSchema } from "@trestle/core";
import type { Connector, ConnectorSection } from "@trestle/core";

/** What the wizard and the sample show for connectors of Trestle's own. */
const examples: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  irc: { networks: [{ name: "libera", host: "irc.libera.chat" }] },
  mqtt: { url: "mqtts://mqtt.example.org:8883", username: "trestle", password: "${MQTT_PASSWORD}" },
  slack: { appToken: "xapp-1-A012AB3CD-1-CHANGE-ME", workspaces: [{ botToken: "xoxb-CHANGE-ME" }] },
  xmpp: { domain: "matrix.example.org", secret: "${XMPP_COMPONENT_SECRET}" },
};

/** The connectors that come with Trestle. */
export const includedConnectors: readonly string[] = Object.keys(examples);

export function exampleOf(connector: string): Readonly<Record<string, unknown>> {
  return Object.hasOwn(examples, connector) ? (examples[connector] ?? {}) : {};
}

export function sectionOf(name: string, connector: Connector): ConnectorSection {
  return {
    name,
    displayName: connector.displayName ?? connector.network,
    schema: toJsonSchema(connector.config),
    example: exampleOf(name),
  };
}

/** What the generated documents say about the connectors that come with Trestle. */
export async function includedSections(): Promise<ConnectorSection[]> {
  return Promise.all(includedConnectors.map(async (name) => sectionOf(name, await loadConnector(name, process.cwd()))));
}
