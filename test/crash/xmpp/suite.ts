import { join } from "node:path";
import { findEjabberd, startEjabberd } from "../../support/servers/ejabberd.js";
import type { Found, Missing } from "../../support/servers/found.js";
import { findProsody, startProsody } from "../../support/servers/prosody.js";
import type { XmppServer, XmppServerOptions } from "../../support/servers/xmpp-server.js";
import { mergeResults, type PlannedRun, type RunResult } from "../report.js";
import { runScenario } from "./run.js";
import { scenarios } from "./scenarios.js";
import type { Way } from "./way.js";

export type XmppServerName = "prosody" | "ejabberd";

export const xmppServers: readonly XmppServerName[] = ["prosody", "ejabberd"];
export const xmppScenarios: readonly string[] = scenarios.map(({ name }) => name);

type Starter = (options: XmppServerOptions) => Promise<XmppServer>;

/** Servers are new after so many cycles: ejabberd's archive in Mnesia takes ever longer for a message. */
const cyclesOfServer = 10;

/**
 * Throws where a server is not on this machine.
 *
 * @param names which scenarios; all where absent
 * @param cycles for each server
 * @param way how the bridge is on XMPP
 */
export function planXmpp(
  servers: readonly XmppServerName[],
  names: readonly string[] | undefined,
  cycles: number,
  seed: number,
  directory: string,
  way: Way,
): readonly PlannedRun[] {
  const chosen = scenarios.filter(({ name }) => names === undefined || names.includes(name));
  const shares = chosen.reduce((sum, { share }) => sum + share, 0);
  return servers.flatMap((server) => {
    const start = starterOf(server);
    return chosen.map((scenario) => {
      const own = Math.max(1, Math.round((cycles * scenario.share) / shares));
      const title = `${server}: ${scenario.title}`;
      const run = async (): Promise<RunResult> => {
        const results: RunResult[] = [];
        for (let done = 0; done < own; done += cyclesOfServer) {
          const place = join(directory, `${server}-${scenario.name}${done === 0 ? "" : `-${done}`}`);
          const cyclesHere = Math.min(cyclesOfServer, own - done);
          results.push(await runScenario(scenario, start, way, title, cyclesHere, seed + done, place));
        }
        return mergeResults(results);
      };
      return { title, run };
    });
  });
}

function starterOf(server: XmppServerName): Starter {
  if (server === "prosody") {
    const install = installOf(findProsody());
    return (options) => startProsody(install, options);
  }
  const install = installOf(findEjabberd());
  return (options) => startEjabberd(install, options);
}

function installOf<Install>(answer: Found<Install> | Missing): Install {
  if (answer.found) return answer.install;
  throw new Error(`This machine has ${answer.reason}. Install it with: ${answer.cure}`);
}
