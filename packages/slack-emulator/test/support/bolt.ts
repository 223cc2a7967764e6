import bolt from "@slack/bolt";
import type { SlackEmulator } from "@trestle/slack-emulator";

export const { App, ExpressReceiver, HTTPReceiver, LogLevel, SocketModeReceiver } = bolt;
/** Bolt tells of every lost connection; here they are lost on purpose. */
export const silent = {
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  setLevel: ignore,
  getLevel: () => LogLevel.ERROR,
  setName: ignore,
};

function ignore(): void {
  // Nothing is printed.
}

export type BoltApp = InstanceType<typeof App>;

/** Bolt in Socket Mode, with nothing changed but where Slack is. */
export function socketApp(slack: SlackEmulator): BoltApp {
  return new App({
    token: slack.app().botToken(),
    appToken: slack.app().appToken,
    socketMode: true,
    logger: silent,
    clientOptions: { slackApiUrl: slack.apiUrl },
  });
}

/** The port a server listens on. */
export function portOf(server: { address(): unknown }): number {
  const address = server.address();
  if (typeof address !== "object" || address === null || !("port" in address) || typeof address.port !== "number")
    throw new Error("The server does not listen");
  return address.port;
}
