import type { Check, DoctorContext } from "@trestle/core";
import type { SlackConfig } from "../config.js";
import { Pacer, SlackApi, Transport } from "../link/index.js";
import { checkAddresses } from "./address-checks.js";
import { checkClock } from "./clock-check.js";
import { checkCredentials } from "./credentials-check.js";
import { checkSocketMode } from "./socket-check.js";
import { checkWorkspaces } from "./workspace-checks.js";

/** What every check of Slack is given. */
export interface Examination extends DoctorContext<SlackConfig> {
  readonly api: SlackApi;
  readonly transport: Transport;
}

const withoutApp: Check = {
  check: "mode",
  state: "skipped",
  text: "In mode webhook there is no app that could be looked at.",
};

/** Looks at Slack for `trestle doctor`: nothing is changed there, and no event is taken. */
export async function examineSlack(context: DoctorContext<SlackConfig>): Promise<readonly Check[]> {
  const { config, log } = context;
  if (config.mode === "webhook") return [withoutApp];
  const transport = new Transport({ ...(config.proxy !== undefined && { proxy: config.proxy }) });
  const api = new SlackApi({
    url: config.apiUrl,
    timeoutMs: config.timeout * 1_000,
    history: config.history,
    pacer: new Pacer(),
    transport,
    log,
  });
  const examination: Examination = { ...context, api, transport };
  try {
    const clock = await checkClock(examination);
    // Without Slack everything else would fail for the same reason.
    if (clock.check === "reach") return [clock];
    const { checks, apps } = await checkWorkspaces(examination);
    return [
      clock,
      ...checks,
      ...(config.mode === "socket" ? await checkSocketMode(examination, apps) : []),
      ...(await checkCredentials(examination)),
      ...(await checkAddresses(examination)),
    ];
  } finally {
    await transport.close();
  }
}
