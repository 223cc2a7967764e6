import type { Check } from "@trestle/core";
import { z } from "zod";
import { SocketConnection } from "../link/socket/connection.js";
import type { Examination } from "./doctor.js";

const openSchema = z.looseObject({ url: z.string().min(1) });

/**
 * Does Socket Mode open? A connection is made and closed when Slack has greeted it. An event that comes over it meanwhile
 * is not acknowledged, so that Slack sends it to the bridge.
 */
export async function checkSocketMode(
  { api, transport, config, log, signal }: Examination,
  apps: ReadonlyMap<string, string>,
): Promise<readonly Check[]> {
  const opened = await api.call({
    team: "doctor",
    token: config.appToken ?? "",
    method: "apps.connections.open",
    answer: openSchema,
    signal,
  });
  if (!opened.ok)
    return [
      problem(
        `Socket Mode does not open: ${opened.reason}.`,
        "Turn Socket Mode on, and give appToken an app-level token with connections:write (Basic Information).",
      ),
    ];
  const connection = new SocketConnection({
    url: opened.body.url,
    wire: transport.forWebSocket(),
    take: () => Promise.resolve({ outcome: "foreign", reason: "the doctor takes no events" }),
    log,
    helloMs: config.timeout * 1_000,
    pingMs: config.timeout * 1_000,
  });
  try {
    const unwanted = connection.leaving.then(({ reason }) => Promise.reject(new Error(reason)));
    const app = await Promise.race([connection.opened, unwanted]);
    return [
      { check: "socket", state: "ok", text: "Socket Mode opens: events come without a public address." },
      ...foreign(app, apps),
    ];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return [
      problem(
        `Slack lets a connection of Socket Mode be opened, but it does not stay: ${reason}.`,
        "Turn Socket Mode on in the app (Settings, Socket Mode); a proxy on the way must let WebSockets through.",
      ),
    ];
  } finally {
    await connection.retire();
  }
}

const problem = (text: string, cure: string): Check => ({ check: "socket", state: "failed", text, cure });

function foreign(app: string | undefined, apps: ReadonlyMap<string, string>): readonly Check[] {
  if (app === undefined) return [];
  return [...apps]
    .filter(([, id]) => id !== app)
    .map(([where, id]) => ({
      check: "app",
      state: "failed",
      text: `The bot token for ${where} is of the app ${id}, appToken of the app ${app}: no event of ${where} comes.`,
      cure: "Take both tokens from the same app.",
    }));
}
