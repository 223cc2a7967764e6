import type { Check, DoctorContext } from "@trestle/core";
import { tryAccount } from "../accounts/try-account.js";
import { sameJid } from "../address/index.js";
import { answerTo } from "../answers.js";
import type { XmppConfig } from "../config.js";
import { messageOf } from "../stream/errors.js";
import { ComponentStream, type StreamState } from "../stream/index.js";
import { checkRoute, checkServices } from "./service-checks.js";

const CONNECT_WITHIN_MS = 15_000;

/**
 * Looks at the XMPP server for `trestle doctor`: whether it takes the component, routes for it, and has what the bridge
 * uses. While the bridge runs the component's place is taken: some servers would share what comes among both.
 */
export async function examineXmpp({ config, signal, running }: DoctorContext<XmppConfig>): Promise<readonly Check[]> {
  if (config.account) return [await examineAccount(config, config.account, signal)];
  if (running === true)
    return [
      {
        check: "component",
        state: "skipped",
        text: `The bridge runs and holds the connection of ${config.domain}; trestle status says how it is. Stop it to have the server looked at.`,
      },
    ];
  const { stream, settled } = connect(config, signal);
  try {
    const state = await settled;
    if (state.state !== "online") return [explain(config, state)];
    const connected: Check = {
      check: "component",
      state: "ok",
      text: `The XMPP server at ${config.host}:${config.port} takes ${config.domain} with this secret.`,
    };
    const route = await checkRoute(stream, signal);
    return [connected, route, ...(route.state === "ok" ? await checkServices(stream, signal) : [])];
  } finally {
    await stream.close();
  }
}

/** Whether the account that stands for a component can sign in; while the bridge runs it does so beside it. */
async function examineAccount(
  config: XmppConfig,
  { jid, password }: NonNullable<XmppConfig["account"]>,
  signal: AbortSignal,
): Promise<Check> {
  try {
    const tuning = { connectTimeoutMs: CONNECT_WITHIN_MS };
    const { mechanism } = await tryAccount({ jid, password, neverShow: false }, { config, tuning }, signal);
    return { check: "account", state: "ok", text: `The bridge can sign in as ${jid} (${mechanism}).` };
  } catch (error) {
    return {
      check: "account",
      state: "failed",
      text: `The bridge cannot sign in as ${jid}: ${messageOf(error)}.`,
      cure: "Look at network.account, and at accounts.servers where DNS does not say where its server is.",
    };
  }
}

/** Connects once; `settled` resolves when it is known what came of it. */
function connect(
  { host, port, domain, secret }: XmppConfig,
  signal: AbortSignal,
): { readonly stream: ComponentStream; readonly settled: Promise<StreamState> } {
  let settle: (state: StreamState) => void = () => undefined;
  const settled = new Promise<StreamState>((resolve) => (settle = resolve));
  const stream: ComponentStream = new ComponentStream({
    address: { host, port, domain, secret },
    sameAddress: sameJid,
    tuning: { connectTimeoutMs: CONNECT_WITHIN_MS, conflictMs: 0, requestTimeoutMs: 10_000 },
    // Nobody's message may vanish here.
    onStanza: (stanza) => {
      const answer = answerTo(stanza);
      if (answer) void stream.send(answer);
      return undefined;
    },
    onState: (state) => {
      if (state.state !== "connecting") settle(state);
    },
  });
  signal.addEventListener("abort", () => void stream.close(), { once: true });
  stream.start();
  return { stream, settled };
}

/** Why the server did not take the component. */
function explain({ host, port, domain }: XmppConfig, { state, detail = state }: StreamState): Check {
  const failed = (check: string, text: string, cure: string): Check => ({ check, state: "failed", text, cure });
  const where = `${host}:${port}`;
  if (detail.includes("refused the secret"))
    return failed(
      "secret",
      `The XMPP server at ${where} does not accept the secret for ${domain}.`,
      "Write the same secret into network.secret here and into the server's configuration (component_secret of Prosody, password of ejabberd), and reload both.",
    );
  if (detail.includes("Something else is connected"))
    return failed(
      "component",
      `Something else is connected to the XMPP server at ${where} as ${domain}.`,
      "End the other program (an old bridge, a second Trestle), or give this bridge a domain of its own.",
    );
  if (/host-unknown|host-gone/.test(detail))
    return failed(
      "domain",
      `The XMPP server at ${where} has no component ${domain}.`,
      `Add it to the server's configuration (bridges/xmpp/README.md has the lines for Prosody and ejabberd), and reload the server.`,
    );
  const reason = detail.replace(/; the next attempt is in .*$/, "");
  return failed(
    "reach",
    `The XMPP server at ${where} cannot be reached, or takes no components there: ${reason}.`,
    "See whether it runs, and on which address and port it takes components: component_ports of Prosody, the listener ejabberd_service of ejabberd.",
  );
}
