import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fail, leaveOut } from "../../report/finding.js";
import type { Credentials } from "../../network/network-fake.js";
import { check, type ConnectorCheck } from "../check.js";
import { objectOf, stringOf } from "../matrix-view.js";
import { arrivedAt, fence, needsHandler, seenAt } from "../relay.js";
import type { Stage } from "../stage.js";

/** A direct chat with the bridge's bot. */
class Chat {
  /** Which network to sign in to, where the connector names several. */
  readonly network: string;

  private constructor(
    private readonly stage: Stage,
    readonly room: string,
  ) {
    this.network = stage.fake.credentials?.network ?? "";
  }

  static async open(stage: Stage): Promise<Chat> {
    const room = await stage.alice.createRoom({ is_direct: true, preset: "trusted_private_chat", invite: [stage.bot] });
    await stage.until(() => stage.homeserver.room(room).members()[stage.bot] === "join");
    return new Chat(stage, room);
  }

  answers(): string[] {
    const messages = this.stage.homeserver.room(this.room).messages();
    return messages
      .filter(({ sender }) => sender === this.stage.bot)
      .map(({ content }) => stringOf(objectOf(content)["body"]));
  }

  async type(text: string): Promise<string> {
    const before = this.answers().length;
    await this.stage.alice.sendText(this.room, text);
    await this.stage.until(() => this.answers().length > before);
    return this.answers().at(-1) ?? "";
  }

  /** What the bot says at the end. */
  async signIn(answers: readonly string[]): Promise<string> {
    let last = await this.type(`login ${this.network}`.trim());
    for (const answer of answers) last = await this.type(answer);
    return last;
  }

  bodies(): string[] {
    return this.stage.homeserver
      .room(this.room)
      .messages()
      .map(({ content }) => stringOf(objectOf(content)["body"]));
  }
}

function credentialsOf(stage: Stage): Credentials {
  needsHandler(stage, "login");
  return stage.fake.credentials ?? leaveOut("the fake network has no credentials");
}

async function signsIn(stage: Stage): Promise<void> {
  const { right, wrong, secret } = credentialsOf(stage);
  const chat = await Chat.open(stage);
  const refused = await chat.signIn(wrong);
  if (/^Signed in/.test(refused))
    fail({
      failed: "Wrong credentials signed a Matrix user in.",
      seen: "anybody can speak as anybody",
      look: "the connector's `login`: try the credentials on the network before it returns",
    });
  const accepted = await chat.signIn(right);
  if (!accepted.startsWith("Signed in"))
    fail({
      failed: `The right credentials do not sign a Matrix user in; the bot's last words are: ${JSON.stringify(accepted)}.`,
      seen: "nobody can use their own account",
      look: "the connector's `login`, and `credentials.right` of the fake network",
    });
  if (chat.bodies().some((body) => body.includes(secret)))
    fail({
      failed: "The secret that was typed still stands in the chat.",
      seen: "whoever looks over a shoulder, or reads a backup, has the account",
      look: "the connector's `login`: ask for it with the type `password` or `token`; and do not repeat it",
    });
  const listed = await chat.type("logins");
  if (listed.startsWith("You are not signed in"))
    fail({
      failed: "An account that somebody signed in to is not among their logins.",
      seen: "an account that nobody can find to give it up",
      look: "the connector's `login` and `accountNetworks`",
    });
  const file = await fileWith(stage.life.data, secret);
  if (file !== undefined)
    fail({
      failed: `The secret lies readable in the bridge's file ${file}.`,
      seen: "whoever gets a backup of the bridge has the account",
      look: "what the connector keeps: the secret belongs into `LoginAccount.secret`, which is encrypted, and nowhere else",
    });
}

/** The database, its write-ahead log, and what the connector keeps by its own means. */
async function fileWith(directory: string, secret: string): Promise<string | undefined> {
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const content = await readFile(join(entry.parentPath, entry.name));
    if (content.includes(secret)) return entry.name;
  }
  return undefined;
}

async function staysSignedIn(stage: Stage): Promise<void> {
  const { right } = credentialsOf(stage);
  const chat = await Chat.open(stage);
  await chat.signIn(right);
  await stage.life.stop();
  await stage.life.start();
  const again = await chat.type(`login ${chat.network}`.trim());
  if (!again.includes("signed in already"))
    fail({
      failed: `After a restart the Matrix user is not signed in any more; the bot says: ${JSON.stringify(again)}.`,
      seen: "everybody must sign in again after each update",
      look: "the connector's `login`: it must resolve when the account works",
    });
  const out = await chat.type(`logout ${chat.network}`.trim());
  const anew = await chat.type(`login ${chat.network}`.trim());
  if (!out.startsWith("Signed out") || anew.includes("signed in already"))
    fail({
      failed: `A Matrix user could not sign out; the bot says: ${JSON.stringify(out)}.`,
      seen: "an account that cannot be taken back",
      look: "the connector's `logout`",
    });
}

/** Whose account said something on the network, waited for; `undefined` where it was the bridge's own. */
async function speakerOf(stage: Stage, mark: string): Promise<string | undefined> {
  await arrivedAt(stage, mark);
  const said = seenAt(stage).find((seen) => seen.kind === "message" && seen.text.includes(mark));
  return said?.kind === "message" ? said.by : undefined;
}

async function speaks(stage: Stage): Promise<void> {
  const { right, account } = credentialsOf(stage);
  if (account === undefined) leaveOut("the fake network's credentials name no account");
  const [own, others, after] = stage.marks(3) as [string, string, string];
  const chat = await Chat.open(stage);
  await chat.signIn(right);
  await stage.tell(own);
  const speaker = await speakerOf(stage, own);
  if (speaker !== account)
    fail({
      failed: `A Matrix user who had signed in spoke through ${speaker ?? "the bridge's own account"}, and not through ${account}.`,
      seen: "everybody still speaks as the bridge",
      look: "the connector's `message`: `author.login` names the login, `network.logins` has its account",
    });
  await fence(stage, "toMatrix");
  if (stage.textsOnMatrix().some((text) => text.includes(own)))
    fail({
      failed: "What a Matrix user said through their own account came back from the network.",
      seen: "everything one says on Matrix is said once more by oneself",
      look: "where the connector calls `network.receive`: what the bridge itself sent must not be received, whichever account sent it",
    });
  const bob = stage.homeserver.createClient("bob");
  await stage.alice.invite(stage.room(), bob.userId);
  await bob.join(stage.room());
  await bob.sendText(stage.room(), others);
  if ((await speakerOf(stage, others)) !== undefined)
    fail({
      failed: `A Matrix user who had not signed in spoke through the account of another, ${account}.`,
      seen: "words in the mouth of somebody who never said them",
      look: "the connector's `message`: without `author.login` one speaks through the relay",
    });
  await chat.type(`logout ${chat.network}`.trim());
  await stage.tell(after);
  if ((await speakerOf(stage, after)) !== undefined)
    fail({
      failed: `A Matrix user signed out and still spoke through ${account}.`,
      seen: "an account that cannot be taken back",
      look: "the connector's `message`: `author.login` at each message, not what was once known of a user; and its `logout`",
    });
}

export const loginChecks: readonly ConnectorCheck[] = [
  check("can.login", "Right credentials sign in, wrong ones do not, and the secret is nowhere to be read", signsIn, {
    alone: true,
  }),
  check("can.login-speaks", "Who has signed in speaks through their own account, and nobody else does", speaks, {
    alone: true,
  }),
  check("can.login-stays", "A login outlives a restart and can be ended", staysSignedIn, { alone: true }),
];
