import type { Client } from "../client.js";
import type { IrcLine } from "../line.js";
import type { Network } from "../network.js";

const LONGEST_LABEL = 64;

/** The label of a line, where it counts. */
export function labelOf(client: Client, line: IrcLine): string | undefined {
  const label = client.has("labeled-response") ? line.tags.get("label") : undefined;
  return label === "" || (label?.length ?? 0) > LONGEST_LABEL ? undefined : label;
}

/** Collects what `run` answers to a client and labels it. */
export function withLabel(network: Network, client: Client, label: string | undefined, run: () => void): void {
  if (label === undefined) {
    run();
    return;
  }
  const response = { label, lines: [] };
  client.response = response;
  run();
  // No longer where the command moved the label elsewhere or closed the connection.
  if (client.response !== response) return;
  client.response = undefined;
  answer(network, client, response);
}

/** No line: ACK. One line, or one batch: it carries the label. More: a batch that carries it. */
function answer(network: Network, client: Client, { label, lines }: NonNullable<Client["response"]>): void {
  const now = { at: network.now() };
  const { name } = network.settings;
  const [first] = lines;
  if (first === undefined) {
    network.write(client, network.body(name, "ACK", [], false), now, label);
  } else if (isOne(lines)) {
    for (const { body, stamp } of lines) network.write(client, body, stamp, body === first.body ? label : undefined);
  } else {
    const batch = network.nextId("l");
    network.write(client, network.body(name, "BATCH", [`+${batch}`, "labeled-response"], false), now, label);
    for (const { body, stamp } of lines) network.write(client, body, { ...stamp, batch: stamp.batch ?? batch });
    network.write(client, network.body(name, "BATCH", [`-${batch}`], false), now);
  }
}

/** One line, or lines that are one batch already. */
function isOne(lines: NonNullable<Client["response"]>["lines"]): boolean {
  const opened = /^(?::\S+ )?BATCH \+(\S+)/.exec(lines[0]?.body ?? "")?.[1];
  if (lines.length === 1 || opened === undefined) return lines.length === 1;
  return lines.at(-1)?.body.endsWith(`BATCH -${opened}`) === true;
}
