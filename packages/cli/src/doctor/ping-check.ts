import { randomUUID } from "node:crypto";
import type { Config, Registration } from "@trestle/core";
import { z } from "zod";
import { failed, ok, skipped } from "./finding.js";
import type { Finding } from "./finding.js";
import { describe } from "./homeserver-checks.js";
import { askHomeserver } from "./homeserver-request.js";
import type { Answered } from "./homeserver-request.js";
import type { Arrival, StandIn } from "./stand-in.js";

/** Asks the homeserver to reach Trestle, and says why it cannot. */
export async function checkPing(
  config: Config,
  bridge: string,
  registration: Registration,
  standIn: StandIn | undefined,
): Promise<readonly Finding[]> {
  standIn?.takeArrivals();
  const path = `/_matrix/client/v1/appservice/${encodeURIComponent(registration.id)}/ping`;
  const answer = await askHomeserver(config.homeserver.url, path, {
    token: registration.asToken,
    post: { transaction_id: `doctor-${randomUUID()}` },
  });
  if (answer.kind === "unanswered") {
    return [
      failed("ping", `The homeserver did not answer the ping: ${answer.message}.`, "Look at the homeserver's log.", {
        bridge,
      }),
    ];
  }
  return explain(answer, config, bridge, registration, standIn?.takeArrivals() ?? []);
}

const durationBody = z.object({ duration_ms: z.number() });
const badStatus = z.object({ status: z.number(), body: z.string().optional() });

function explain(
  answer: Answered,
  config: Config,
  bridge: string,
  registration: Registration,
  arrivals: readonly Arrival[],
): readonly Finding[] {
  const url = registration.url ?? "(none)";
  if (answer.status === 200) {
    const duration = durationBody.safeParse(answer.body);
    const took = duration.success ? ` in ${Math.round(duration.data.duration_ms)} ms` : "";
    return [
      ok("ping", `The homeserver reaches Trestle${took}.`, { bridge }),
      ok("hs_token", "The homeserver sends the right hs_token.", { bridge }),
    ];
  }
  if (arrivals.some((arrival) => arrival.registration !== registration.id)) return [wrongHsToken(bridge)];
  switch (answer.errcode) {
    case "M_BAD_STATUS":
      return [explainStatus(badStatus.safeParse(answer.body).data, bridge, url)];
    case "M_CONNECTION_FAILED":
      return [
        failed(
          "ping",
          `The homeserver cannot connect to Trestle (M_CONNECTION_FAILED${answer.error === "" ? "" : `: ${answer.error}`}).`,
          `From the homeserver's machine or container try: curl ${url}/_matrix/app/v1/ping (any JSON answer is good). In a container localhost is the container itself: use the name or address of Trestle's machine as url, and listen.host 0.0.0.0. Restart the homeserver after a change of the registration. Trestle listens on ${config.listen.host}:${config.listen.port}.`,
          { bridge },
        ),
      ];
    case "M_CONNECTION_TIMEOUT":
      return [
        failed(
          "ping",
          "The homeserver gets no answer from Trestle in time (M_CONNECTION_TIMEOUT).",
          `A firewall drops the packets, or ${url} leads to another machine: allow TCP to port ${config.listen.port} from the homeserver, and check the url.`,
          { bridge },
        ),
      ];
    case "M_URL_NOT_SET":
      return [
        failed(
          "ping",
          "The homeserver's copy of the registration has no url (M_URL_NOT_SET).",
          `Give it the registration with url: ${url} and restart it.`,
          { bridge },
        ),
      ];
    default:
      return [explainRefusal(answer, bridge, registration)];
  }
}

function explainRefusal(answer: Answered, bridge: string, registration: Registration): Finding {
  if (answer.status === 403) {
    return failed(
      "ping",
      `The homeserver refuses to ping the registration ${registration.id} (${describe(answer)}).`,
      "The as_token belongs to a registration of another id there: copy the registration to the homeserver again and restart it.",
      { bridge },
    );
  }
  if (answer.status === 404 || answer.status === 405) {
    return skipped(
      "ping",
      "This homeserver cannot ping (Dendrite cannot); whether it reaches Trestle shows when the first event arrives.",
      { bridge },
    );
  }
  return failed(
    "ping",
    `The ping failed (${describe(answer)}).`,
    "Look at the homeserver's log for why it does not reach Trestle.",
    { bridge },
  );
}

function explainStatus(bad: z.output<typeof badStatus> | undefined, bridge: string, url: string): Finding {
  const status = bad?.status ?? 0;
  if (status === 401 || status === 403) return wrongHsToken(bridge);
  const said = `${url} answers the homeserver with status ${status} (M_BAD_STATUS)`;
  if (status === 404 || status === 405) {
    return failed(
      "ping",
      `${said}: that is not Trestle.`,
      "Correct the port and path of url in the registration; a proxy must pass /_matrix/app on unchanged.",
      { bridge },
    );
  }
  if (status >= 500) {
    return failed(
      "ping",
      `${said}: a proxy without Trestle behind it, or Trestle in trouble.`,
      "Start Trestle, look at its log, and check what the proxy passes on to.",
      { bridge },
    );
  }
  return failed("ping", `${said}.`, "Check what is at that address.", { bridge });
}

function wrongHsToken(bridge: string): Finding {
  return failed(
    "hs_token",
    "The homeserver reaches Trestle, but with another hs_token than that of the registration.",
    "The homeserver has an older version of the registration: copy the file to it again and restart it (and Trestle).",
    { bridge },
  );
}
