import { confirm, input, password, select } from "@inquirer/prompts";

type Section = Readonly<Record<string, unknown>>;

const questions: Readonly<Record<string, () => Promise<Section>>> = { irc: askIrc, slack: askSlack };

/** Asks for what a connector of Trestle's own needs; `undefined` where its example is to be filled in by hand. */
export async function askNetwork(connector: string): Promise<Section | undefined> {
  return Object.hasOwn(questions, connector) ? questions[connector]?.() : undefined;
}

async function askIrc(): Promise<Section> {
  const host = await input({ message: "The IRC server", default: "irc.libera.chat" });
  const tls = await confirm({ message: "Does it speak TLS (port 6697)?", default: true });
  const name = await input({
    message: "A short name for this IRC network",
    default:
      host
        .split(".")
        .at(-2)
        ?.toLowerCase()
        .replaceAll(/[^a-z0-9-]/g, "") ?? "irc",
    validate: (text) => /^[a-z0-9][a-z0-9-]{0,31}$/.test(text) || "Expected some of a-z 0-9 -",
  });
  return { networks: [{ name, host, ...(!tls && { tls: false }) }] };
}

/** The app must be there already: its manifest and the steps are in bridges/slack. */
async function askSlack(): Promise<Section> {
  const mode = await select({
    message: "How do Slack's events come? (Make the app first: bridges/slack/README.md)",
    choices: [
      { value: "socket", name: "Socket Mode: no public address is needed" },
      { value: "http", name: "Events API: Slack reaches this machine at a public https address" },
    ],
  });
  const botToken = await askToken("The bot token (OAuth & Permissions)", "xoxb-");
  const workspaces = [{ botToken }];
  if (mode === "http") {
    const signingSecret = await password({
      message: "The signing secret (Basic Information)",
      validate: (text) => text.trim() !== "" || "Expected the secret of the app",
    });
    return { mode, signingSecret: signingSecret.trim(), workspaces };
  }
  return {
    appToken: await askToken("The app-level token with connections:write (Basic Information)", "xapp-"),
    workspaces,
  };
}

async function askToken(message: string, prefix: string): Promise<string> {
  const token = await password({
    message,
    mask: true,
    validate: (text) => text.trim().startsWith(prefix) || `Expected a token that begins with ${prefix}`,
  });
  return token.trim();
}
