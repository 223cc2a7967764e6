import { randomBytes } from "node:crypto";
import type { Check } from "@trestle/core";
import { signatureOf } from "../link/index.js";
import type { Examination } from "./doctor.js";

const eventsPath = "/slack/events";
const redirectPath = "/slack/oauth_redirect";

/**
 * Do Slack's requests reach the bridge? The addresses are asked as Slack asks a new request URL: with a challenge, signed.
 * Which URL the app has, only Slack knows.
 */
export async function checkAddresses(examination: Examination): Promise<readonly Check[]> {
  const { mode, http, oauth } = examination.config;
  if (mode !== "http") return [];
  const host = http.host === "0.0.0.0" ? "127.0.0.1" : http.host === "::" ? "[::1]" : http.host;
  const own = await ask(examination, `http://${host}:${http.port}${eventsPath}`);
  if (own.kind === "unanswered")
    return [
      {
        check: "events",
        state: "skipped",
        text: `Nothing listens for Slack on ${http.host}:${http.port}; start Trestle to have the way of the events looked at.`,
      },
    ];
  const checks = [explain(own)];
  const outside = oauth?.redirectUrl.endsWith(redirectPath) === true;
  if (oauth !== undefined && outside)
    checks.push(explain(await ask(examination, `${oauth.redirectUrl.slice(0, -redirectPath.length)}${eventsPath}`)));
  return checks;
}

type Asked = { readonly url: string } & (
  | { readonly kind: "challenged" }
  | { readonly kind: "refused"; readonly status: number }
  | { readonly kind: "unanswered"; readonly why: string }
);

async function ask({ config, transport, signal }: Examination, url: string): Promise<Asked> {
  const challenge = randomBytes(16).toString("hex");
  const body = JSON.stringify({ type: "url_verification", challenge });
  const timestamp = String(Math.floor(Date.now() / 1_000));
  try {
    const timeout = AbortSignal.any([signal, AbortSignal.timeout(config.timeout * 1_000)]);
    const response = await transport.fetch(timeout)(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-slack-request-timestamp": timestamp,
        "x-slack-signature": signatureOf(config.signingSecret ?? "", timestamp, body),
      },
      body,
    });
    const answer = await response.text();
    return answer === challenge ? { kind: "challenged", url } : { kind: "refused", url, status: response.status };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    return { kind: "unanswered", url, why: cause };
  }
}

function explain(asked: Asked): Check {
  const { url } = asked;
  switch (asked.kind) {
    case "challenged":
      return {
        check: "events",
        state: "ok",
        text: `${url} takes what is signed with signingSecret. The app's Request URL must lead there (Event Subscriptions).`,
      };
    case "refused":
      return {
        check: "events",
        state: "failed",
        text: `${url} does not take a request as Slack makes it: it answers ${asked.status}.`,
        cure:
          asked.status === 401
            ? "Start Trestle again: it runs with another signingSecret, or a proxy changes what it passes on."
            : "Another program listens there, or a proxy does not pass /slack/ on: correct http.port or the proxy.",
      };
    case "unanswered":
      return {
        check: "events",
        state: "failed",
        text: `${url} does not answer: ${asked.why}.`,
        cure: "Slack cannot reach it either: look at the name, the certificate, the firewall and the proxy.",
      };
  }
}
