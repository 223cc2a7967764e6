import { readFile } from "node:fs/promises";
import { Command, InvalidArgumentError } from "commander";
import { z } from "zod";
import { SlackEmulator } from "./emulator.js";
import { optionsSchema, type SlackEmulatorOptions } from "./options.js";

interface Flags {
  readonly port?: number;
  readonly host?: string;
  readonly options?: string;
  readonly requestUrl?: string;
  readonly json?: boolean;
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new InvalidArgumentError("A port is a number from 0 to 65535.");
  return port;
}

async function optionsFrom(flags: Flags): Promise<SlackEmulatorOptions> {
  const file: unknown = flags.options === undefined ? {} : JSON.parse(await readFile(flags.options, "utf8"));
  const parsed = optionsSchema.safeParse(file);
  if (!parsed.success) throw new Error(`${flags.options ?? "The options"}:\n${z.prettifyError(parsed.error)}`);
  return {
    ...parsed.data,
    port: flags.port ?? (parsed.data.port === 0 ? 8765 : parsed.data.port),
    host: flags.host ?? parsed.data.host,
  };
}

function describe(slack: SlackEmulator): string {
  const lines = [
    `Slack is at ${slack.url}`,
    `  Web API        ${slack.apiUrl}`,
    `  control API    ${slack.url}/control/state`,
    `  authorize page ${slack.url}/oauth/v2/authorize`,
  ];
  for (const app of slack.apps()) {
    lines.push(
      "",
      `App ${app.name} (${app.id})`,
      `  client id      ${app.clientId}`,
      `  client secret  ${app.clientSecret}`,
      `  signing secret ${app.signingSecret}`,
      `  app token      ${app.appToken}`,
    );
    for (const { workspaceId, token } of app.botTokens())
      lines.push(`  bot token      ${token}  (${slack.workspace(workspaceId).domain})`);
  }
  lines.push(
    "",
    "Point bolt at it:",
    `  new App({ token, appToken, socketMode: true, clientOptions: { slackApiUrl: "${slack.apiUrl}" } })`,
    "Say something:",
    `  curl -d '{"channel":"general","text":"hello"}' ${slack.url}/control/workspaces/${slack.workspace().domain}/people/${slack.workspace().people()[0]?.name ?? "alice"}/post`,
  );
  return lines.join("\n");
}

async function run(flags: Flags): Promise<void> {
  const slack = await SlackEmulator.start(await optionsFrom(flags));
  if (flags.requestUrl !== undefined) slack.app().setRequestUrl(flags.requestUrl);
  // Before anything is printed: whoever reads it may end the process at once.
  const stop = () => {
    void slack.stop().then(() => process.exit(0));
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  const [app] = slack.apps();
  console.log(
    flags.json === true
      ? JSON.stringify({
          url: slack.url,
          apiUrl: slack.apiUrl,
          appToken: app?.appToken,
          botToken: app?.botTokens()[0]?.token,
          signingSecret: app?.signingSecret,
        })
      : describe(slack),
  );
}

/** The command line `slack-emulator`. */
export const program = new Command("slack-emulator")
  .description("A Slack to run tests against: Web API, Socket Mode, signed events, OAuth, files and faults")
  .option("-p, --port <number>", "port to listen on; 0 takes a free one (default: 8765)", portNumber)
  .option("--host <address>", "address to listen on (default: 127.0.0.1)")
  .option("-o, --options <file>", "JSON file with workspaces, people, channels and apps")
  .option("--request-url <url>", "send events of the first app to this URL instead of its sockets")
  .option("--json", "print what a program needs to know, as one line of JSON")
  .action(run);
