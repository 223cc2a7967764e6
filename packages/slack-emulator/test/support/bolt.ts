import bolt from "@slack/bolt";
import type { SlackEmulator } from "@trestle/slack-emulator";

export const { App, ExpressReceiver, HTTPReceiver, LogLevel, SocketModeReceiver } = bolt;
export type BoltApp = InstanceType<typeof App>;

/** Bolt in Socket Mode, with nothing changed but where Slack is. */
export function socketApp(slack: SlackEmulator): BoltApp {
  return new App({
    token: slack.app().botToken(),
    appToken: slack.app().appToken,
    socketMode: true,
    logLevel: LogLevel.ERROR,
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
