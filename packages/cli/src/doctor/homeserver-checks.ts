import type { ConfigFile, Registration } from "@trestle/core";
import { z } from "zod";
import { failed, ok, skipped, warning } from "./finding.js";
import type { Finding } from "./finding.js";
import { askHomeserver } from "./homeserver-request.js";
import type { Answered, Unanswered } from "./homeserver-request.js";

/** Does the homeserver answer, and does it agree with us about the time? */
export async function checkHomeserver({ config }: ConfigFile): Promise<readonly Finding[]> {
  const { url } = config.homeserver;
  const answer = await askHomeserver(url, "/_matrix/client/versions");
  if (answer.kind === "unanswered") return [unreachable(url, answer)];
  if (answer.status !== 200 || !versions.safeParse(answer.body).success) {
    return [
      failed(
        "homeserver",
        `${url} answers, but not as a homeserver does (status ${answer.status} to /_matrix/client/versions).`,
        "Set homeserver.url to the address of the homeserver's client API, e.g. http://localhost:8008 for Synapse; behind a proxy, /_matrix must reach the homeserver.",
      ),
    ];
  }
  return [ok("homeserver", `${url} answers.`), checkClock(answer.skewMs)];
}

const versions = z.object({ versions: z.array(z.string()) });

function unreachable(url: string, { code, message }: Unanswered): Finding {
  const cures: Readonly<Record<string, string>> = {
    ECONNREFUSED: "Nothing listens there: start the homeserver, or correct the port in homeserver.url.",
    ENOTFOUND: "There is no such host name: correct homeserver.url.",
    EAI_AGAIN: "The host name cannot be looked up: check the DNS of this machine, or use an address in homeserver.url.",
    EHOSTUNREACH: "There is no way to that host: check the network, the firewall and homeserver.url.",
    ETIMEDOUT: "The connection was not accepted: check the firewall and homeserver.url.",
    UND_ERR_CONNECT_TIMEOUT: "The connection was not accepted: check the firewall and homeserver.url.",
    TIMEOUT: "The homeserver is overloaded, or something in between swallows the request: look at its log.",
    ECONNRESET:
      "The connection was cut: is homeserver.url http:// where the homeserver speaks TLS, or the other way round?",
    EPROTO: "The other side does not speak TLS: write http:// in homeserver.url, or correct the port.",
    ERR_SSL_WRONG_VERSION_NUMBER:
      "The other side does not speak TLS: write http:// in homeserver.url, or correct the port.",
    ERR_SSL_PACKET_LENGTH_TOO_LONG:
      "The other side does not speak TLS: write http:// in homeserver.url, or correct the port.",
    UND_ERR_SOCKET:
      "The connection was cut: is homeserver.url http:// where the homeserver speaks TLS, or the other way round?",
  };
  const certificate = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/.test(code)
    ? "Its certificate is not valid for this address: correct it, or add its authority with NODE_EXTRA_CA_CERTS."
    : undefined;
  return failed(
    "homeserver",
    `${url} cannot be reached: ${message}.`,
    certificate ?? cures[code] ?? "Check homeserver.url and that the homeserver runs.",
  );
}

function checkClock(skewMs: number | undefined): Finding {
  if (skewMs === undefined) return skipped("clock", "The homeserver does not tell its time.");
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  if (seconds <= 5) return ok("clock", "The clocks of the homeserver and this machine agree.");
  const text = `The homeserver's clock is ${seconds} s ${skewMs > 0 ? "ahead of" : "behind"} this machine's.`;
  return warning("clock", text, "Run NTP on both machines: message times and age limits are wrong otherwise.");
}

export interface IdentityOptions {
  readonly signal?: AbortSignal;
  /** Asks only who we are. */
  readonly brief?: boolean;
}

/** Does the homeserver know this registration, and as whom? */
export async function checkIdentity(
  { config }: ConfigFile,
  bridge: string,
  registration: Registration,
  { signal, brief }: IdentityOptions = {},
): Promise<readonly Finding[]> {
  const { url } = config.homeserver;
  const token = registration.asToken;
  const answer = await askHomeserver(url, "/_matrix/client/v3/account/whoami", { token, ...(signal && { signal }) });
  if (answer.kind === "unanswered") {
    return [
      failed("as_token", `whoami was not answered: ${answer.message}.`, "Look at the homeserver's log.", { bridge }),
    ];
  }
  const user = whoami.safeParse(answer.body);
  if (answer.status !== 200 || !user.success) return [refused(answer, bridge, registration)];
  const known = ok("as_token", "The homeserver knows the as_token.", { bridge });
  if (user.data.user_id !== registration.bot) return [known, otherIdentity(user.data.user_id, bridge, registration)];
  const same = ok("identity", `The bot is ${registration.bot}.`, { bridge });
  if (brief === true) return [known, same];
  return [known, same, await checkSender(url, bridge, registration), await checkGhosts(url, bridge, registration)];
}

const whoami = z.object({ user_id: z.string() });

function refused(answer: Answered, bridge: string, registration: Registration): Finding {
  if (answer.status === 401 || answer.status === 403) {
    return failed(
      "as_token",
      `The homeserver does not know the as_token of the registration ${registration.id} (${describe(answer)}).`,
      "Give the homeserver this very registration file (on Synapse: app_service_config_files) and restart it; after a change of tokens copy the file again.",
      { bridge, isFinal: answer.errcode === "M_UNKNOWN_TOKEN" },
    );
  }
  return failed("as_token", `whoami failed (${describe(answer)}).`, "Look at the homeserver's log.", { bridge });
}

function otherIdentity(userId: string, bridge: string, registration: Registration): Finding {
  const server = userId.slice(userId.indexOf(":") + 1);
  if (server !== registration.serverName) {
    return failed(
      "identity",
      `The homeserver says the bot is ${userId}, so its name is ${server}, not ${registration.serverName}.`,
      `Set homeserver.name to ${server}, and make the registration again with: trestle registration generate ${bridge} --force`,
      { bridge, isFinal: true },
    );
  }
  return failed(
    "identity",
    `The homeserver says the bot is ${userId}, but sender_localpart makes it ${registration.bot}.`,
    "The homeserver has another version of the registration: copy the file to it again and restart it.",
    { bridge, isFinal: true },
  );
}

async function checkSender(url: string, bridge: string, registration: Registration): Promise<Finding> {
  const answer = await askHomeserver(url, `/_matrix/client/v3/profile/${encodeURIComponent(registration.bot)}`, {
    token: registration.asToken,
  });
  if (answer.kind === "answered" && answer.status === 200)
    return ok("sender", `${registration.bot} is registered.`, { bridge });
  if (answer.kind === "answered" && answer.status === 404) {
    return warning(
      "sender",
      `${registration.bot} is not registered yet.`,
      "trestle run registers it at its start. If it stays so, look at Trestle's log for what the homeserver said.",
      { bridge },
    );
  }
  return skipped("sender", `Whether ${registration.bot} is registered could not be found out (${describe(answer)}).`, {
    bridge,
  });
}

/** Acts as a ghost that surely does not exist: a homeserver with the same namespaces misses the user, one with others refuses the name. */
async function checkGhosts(url: string, bridge: string, registration: Registration): Promise<Finding> {
  const ghost = registration.userId(`${registration.ghostPrefix}trestle-doctor`);
  const query = new URLSearchParams({ user_id: ghost }).toString();
  const answer = await askHomeserver(url, `/_matrix/client/v3/account/whoami?${query}`, {
    token: registration.asToken,
  });
  const good = `Ghosts (${registration.userId(`${registration.ghostPrefix}…`)}) belong to the bridge.`;
  if (answer.kind === "answered" && answer.status === 200) return ok("namespaces", good, { bridge });
  if (
    answer.kind === "answered" &&
    answer.status < 500 &&
    !/masquerad|namespace|exclusive/i.test(`${answer.error} ${answer.errcode}`)
  ) {
    return ok("namespaces", good, { bridge });
  }
  if (answer.kind === "answered" && answer.status < 500) {
    return failed(
      "namespaces",
      `The homeserver does not let the bridge act as ${ghost} (${describe(answer)}).`,
      "The homeserver has a registration with other namespaces: copy the file to it again and restart it.",
      { bridge },
    );
  }
  return skipped("namespaces", `Whether ghosts belong to the bridge could not be found out (${describe(answer)}).`, {
    bridge,
  });
}

/** `401 M_UNKNOWN_TOKEN: Unrecognised access token` */
export function describe(answer: Answered | Unanswered): string {
  if (answer.kind === "unanswered") return answer.message;
  const code = [String(answer.status), answer.errcode].filter((part) => part !== "").join(" ");
  return answer.error === "" ? code : `${code}: ${answer.error}`;
}
