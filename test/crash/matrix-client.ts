import { setTimeout as sleep } from "node:timers/promises";
import { Pool } from "undici";
import { z } from "zod";

const registered = z.object({ user_id: z.string(), access_token: z.string() });
const sent = z.object({ event_id: z.string() });
const created = z.object({ room_id: z.string() });
const page = z.object({
  end: z.string().optional(),
  chunk: z.array(
    z.object({
      event_id: z.string(),
      type: z.string(),
      sender: z.string(),
      content: z.record(z.string(), z.unknown()),
      redacts: z.string().optional(),
    }),
  ),
});

/** Of every request. */
const attempts = 200;

export type TimelineEvent = z.output<typeof page>["chunk"][number];

/** The client API of the homeserver, for the people of the load. */
export class MatrixServer {
  readonly #pool: Pool;

  constructor(readonly url: string) {
    this.#pool = new Pool(url, { connections: 32 });
  }

  async register(localpart: string): Promise<MatrixPerson> {
    const body = { username: localpart, password: "a password of the crash suite", auth: { type: "m.login.dummy" } };
    const { user_id, access_token } = registered.parse(
      await this.request("POST", "/_matrix/client/v3/register", undefined, body),
    );
    return new MatrixPerson(this, user_id, access_token);
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  async request(method: "GET" | "PUT" | "POST", path: string, token?: string, body?: unknown): Promise<unknown> {
    const answer = await this.#pool.request({
      method,
      path,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    if (answer.statusCode !== 200)
      throw new Error(`${method} ${path} was answered ${answer.statusCode}: ${text.slice(0, 300)}`);
    return JSON.parse(text);
  }
}

export class MatrixPerson {
  constructor(
    private readonly server: MatrixServer,
    readonly userId: string,
    private readonly token: string,
  ) {}

  /** Makes a public room in which the bot may do what a bridge does. */
  async createRoom(name: string, bot: string): Promise<string> {
    const power_level_content_override = { users: { [this.userId]: 100, [bot]: 100 } };
    const body = { name, invite: [bot], preset: "public_chat", power_level_content_override };
    return created.parse(await this.server.request("POST", "/_matrix/client/v3/createRoom", this.token, body)).room_id;
  }

  /** Makes a conversation with somebody. */
  async createDirect(other: string): Promise<string> {
    const body = { is_direct: true, invite: [other], preset: "trusted_private_chat" };
    return created.parse(await this.server.request("POST", "/_matrix/client/v3/createRoom", this.token, body)).room_id;
  }

  async join(room: string): Promise<void> {
    await this.server.request("POST", `/_matrix/client/v3/join/${encodeURIComponent(room)}`, this.token, {});
  }

  /**
   * Sends until the homeserver has it; the transaction id keeps a repetition from being a second message. Resolves to
   * the event's id.
   */
  async send(
    room: string,
    transaction: string,
    content: Readonly<Record<string, unknown>>,
    type = "m.room.message",
  ): Promise<string> {
    return this.#put(`/_matrix/client/v3/rooms/${encodeURIComponent(room)}/send/${type}/${transaction}`, content);
  }

  /** Takes back what they sent; resolves to the id of the event that does so. */
  async redact(room: string, event: string, transaction: string): Promise<string> {
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/redact/${encodeURIComponent(event)}`;
    return this.#put(`${path}/${transaction}`, {});
  }

  /** What came after `from`, oldest first. */
  async messages(
    room: string,
    from: string | undefined,
  ): Promise<{ readonly events: readonly TimelineEvent[]; readonly end: string | undefined }> {
    const query = new URLSearchParams({ dir: "f", limit: "500", ...(from !== undefined && { from }) });
    const { chunk, end } = page.parse(
      await this.#persist(() =>
        this.server.request(
          "GET",
          `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/messages?${query.toString()}`,
          this.token,
        ),
      ),
    );
    return { events: chunk, end };
  }

  async #put(path: string, content: Readonly<Record<string, unknown>>): Promise<string> {
    const answer = await this.#persist(() => this.server.request("PUT", path, this.token, content));
    return sent.parse(answer).event_id;
  }

  /** The homeserver may be in the middle of a restart. */
  async #persist(request: () => Promise<unknown>): Promise<unknown> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await request();
      } catch (error) {
        if (attempt >= attempts) throw error;
        await sleep(50);
      }
    }
  }
}

/** Reads a room's timeline bit by bit, as one who was there from the beginning. */
export class Timeline {
  #from: string | undefined;
  #skip = new Set<string>();
  #reading: Promise<unknown> = Promise.resolve();
  readonly events: TimelineEvent[] = [];

  constructor(
    private readonly person: MatrixPerson,
    readonly room: string,
  ) {}

  /** Reads what is new; resolves to how many events that were. Whoever asks meanwhile comes after that. */
  read(): Promise<number> {
    const done = this.#reading.then(() => this.#readOn());
    this.#reading = done.catch(() => undefined);
    return done;
  }

  async #readOn(): Promise<number> {
    let count = 0;
    for (;;) {
      const { events, end } = await this.person.messages(this.room, this.#from);
      const fresh = events.filter(({ event_id }) => !this.#skip.has(event_id));
      this.events.push(...fresh);
      count += fresh.length;
      if (end === undefined) {
        // The last page is read again the next time.
        this.#skip = new Set(events.map(({ event_id }) => event_id));
        return count;
      }
      this.#skip = new Set();
      this.#from = end;
    }
  }
}
