import { IrcServer, type IrcServerOptions, IrcTestClient, type IrcTestClientOptions } from "../dist/irc/index.js";
import { type IrcLine, parseLine } from "../dist/irc/line.js";
import { freePort } from "../../../test/support/bounded.js";

/** One server and the people on it, for one test. */
export class Party {
  readonly #people: IrcTestClient[] = [];

  private constructor(readonly irc: IrcServer) {}

  static async start(options: IrcServerOptions = {}): Promise<Party> {
    return new Party(await IrcServer.start({ port: await freePort(), ...options }));
  }

  async person(
    nick: string,
    caps: readonly string[] = [],
    options: Partial<IrcTestClientOptions> = {},
  ): Promise<IrcTestClient> {
    const client = await IrcTestClient.connect({ port: this.irc.port, nick, caps, ...options });
    this.#people.push(client);
    return client;
  }

  /** People who are in a channel, the first its operator. */
  async inChannel(channel: string, nicks: readonly string[], caps: readonly string[] = []): Promise<IrcTestClient[]> {
    const people: IrcTestClient[] = [];
    for (const nick of nicks) {
      const one = await this.person(nick, caps);
      await one.join(channel);
      people.push(one);
    }
    for (const one of people) await one.sync();
    return people;
  }

  async end(): Promise<void> {
    for (const one of this.#people) one.close();
    await this.irc.stop();
  }
}

/** Sends lines and returns, taken apart, what comes before the answer to the next PING. */
export async function ask(client: IrcTestClient, ...lines: readonly string[]): Promise<IrcLine[]> {
  const since = client.mark();
  for (const line of lines) client.raw(line);
  await client.sync();
  return client.lines.slice(since, -1).flatMap((text) => parseLine(text) ?? []);
}

/** What has come to a client since a mark, when the server has handled everything sent so far. */
export async function heard(client: IrcTestClient, since: number): Promise<IrcLine[]> {
  await client.sync();
  return client.lines.slice(since, -1).flatMap((text) => parseLine(text) ?? []);
}

/** `COMMAND param param`, for comparing. */
export const short = ({ command, params }: IrcLine): string => [command, ...params].join(" ");

/** The same without the sentence at the end and without the client's own nick. */
export const numeric = ({ command, params }: IrcLine): string => [command, ...params.slice(1, -1)].join(" ");
