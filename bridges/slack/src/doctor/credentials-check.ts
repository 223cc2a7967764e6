import type { Check } from "@trestle/core";
import { z } from "zod";
import type { Examination } from "./doctor.js";

/** What Slack says of a code that it never gave, once it knows the app. */
const codeRefused: ReadonlySet<string> = new Set(["bad_redirect_uri", "code_already_used", "invalid_code"]);

/** Are the client id and secret the app's? Slack is shown a code that means nothing, and says first what else is wrong. */
export async function checkCredentials({ api, config, signal }: Examination): Promise<readonly Check[]> {
  const { oauth } = config;
  if (oauth === undefined) return [];
  const answer = await api.call({
    team: "doctor",
    method: "oauth.v2.access",
    arguments: { client_id: oauth.clientId, client_secret: oauth.clientSecret, code: "trestle-doctor" },
    answer: z.looseObject({}),
    signal,
  });
  if (answer.ok || codeRefused.has(answer.code ?? ""))
    return [{ check: "oauth", state: "ok", text: "Slack knows oauth.clientId, and its secret is right." }];
  return [
    {
      check: "oauth",
      state: "failed",
      text: `Nobody can install the app or sign in: ${answer.reason}.`,
      cure: "Copy the Client ID and the Client Secret from the app's Basic Information.",
    },
  ];
}
