import type { BridgeStatus, FlowStatus, PolicyListStatus, StatusView } from "@trestle/core";
import type { Command } from "commander";
import pc from "picocolors";
import { withCommonOptions } from "../options.js";
import type { CommonOptions } from "../options.js";
import { formatAge, Output, printable } from "../output.js";
import { withRunning } from "../services.js";

export function addStatus(program: Command): void {
  withCommonOptions(program.command("status").description("say how the running Trestle is")).action(
    async (options: CommonOptions) => {
      const status = await withRunning(options.config, (services) => services.status());
      const output = new Output(options.json ?? false);
      output.result(status, () => printStatus(output, status));
    },
  );
}

function printStatus(output: Output, status: StatusView): void {
  const { homeserver } = status;
  output.line(`Trestle ${status.version}, up for ${formatAge(Date.now() - status.startedAt)}`);
  output.line();
  output.line(
    `${mark(homeserver.reachable)} homeserver ${homeserver.url} ${homeserver.reachable ? "answers" : "does not answer"}`,
  );
  if (homeserver.ping !== null) {
    const { ok, detail, at } = homeserver.ping;
    output.line(
      `${mark(ok)} the homeserver ${ok ? "reaches" : "does not reach"} Trestle: ${printable(detail)} (${formatAge(Date.now() - at)} ago)`,
    );
  }
  const last = homeserver.lastTransactionAt;
  output.line(`  last transaction ${last === null ? "none since the start" : `${formatAge(Date.now() - last)} ago`}`);
  for (const bridge of status.bridges) printBridge(output, bridge);
}

function printBridge(output: Output, bridge: BridgeStatus): void {
  output.line();
  output.line(`${pc.bold(bridge.name)} (${bridge.network}), ${bridge.links} ${bridge.links === 1 ? "link" : "links"}`);
  for (const connection of bridge.connections) {
    const detail = connection.detail === undefined ? "" : `: ${printable(connection.detail)}`;
    output.line(
      `${mark(connection.state === "connected")} ${printable(connection.connection)} ${connection.state}${detail}`,
    );
  }
  for (const list of bridge.policyLists) printPolicyList(output, list);
  output.line(`  to the network: ${flow(bridge.toNetwork)}`);
  output.line(`  to Matrix:      ${flow(bridge.toMatrix)}`);
}

function printPolicyList(output: Output, { list, state, bans, detail }: PolicyListStatus): void {
  const how = { read: "", kept: ", as they were read last", unread: ", not read yet" }[state];
  const problem = detail === undefined ? "" : `: ${printable(detail)}`;
  const isGood = state === "read" && detail === undefined;
  output.line(`${mark(isGood)} policy list ${printable(list)}: ${bans} bans${how}${problem}`);
}

function flow({ queued, dead, oldestMs, delivered }: FlowStatus): string {
  const waiting = queued === 0 ? "nothing waits" : `${queued} wait, the oldest for ${formatAge(oldestMs)}`;
  const letters = dead === 0 ? "no dead letters" : pc.yellow(`${dead} dead letters (trestle queue list)`);
  return `${delivered} delivered, ${waiting}, ${letters}`;
}

function mark(ok: boolean): string {
  return ok ? pc.green("✓") : pc.red("✗");
}
