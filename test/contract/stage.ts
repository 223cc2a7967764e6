import { expect } from "@jest/globals";
import type { JsonObject } from "@trestle/testkit";
import { TestClient } from "@trestle/testkit";
import type { FakeService } from "../../packages/testkit/test/homeserver-support.js";
import { record, text } from "../../packages/testkit/test/homeserver-support.js";
import { until } from "../support/bounded.js";
import { shapeOf } from "./shape.js";
import type { Side } from "./sides.js";

export const AS_TOKEN = "as-token-of-the-contract";

/** One thing that happened on a side, without its particulars. */
export interface Note {
  readonly what: string;
  readonly came: unknown;
}

export interface CallOptions {
  readonly body?: JsonObject | string;
  readonly query?: Readonly<Record<string, string>>;
  /** Neither the request nor its answer is noted: the number of requests is no part of the contract. */
  readonly quiet?: boolean;
  /** The shape of the answer is no part of the contract. */
  readonly anyShape?: boolean;
}

/** A path with its values encoded: path`/rooms/${roomId}/state/m.room.topic`. */
export function path(texts: TemplateStringsArray, ...values: readonly string[]): string {
  return texts.reduce((whole, part, index) => `${whole}${encodeURIComponent(values[index - 1] ?? "")}${part}`);
}

/** One case of the contract on one side: notes what is answered and what the application service receives. */
export class Stage {
  readonly notes: Note[] = [];

  constructor(
    readonly side: Side,
    private readonly number: number,
  ) {}

  get service(): FakeService {
    return this.side.service;
  }

  /** A name that no other case uses. */
  name(text: string): string {
    return `${text}-${this.number}`;
  }

  userId(localpart: string): string {
    return `@${localpart}:${this.side.serverName}`;
  }

  /** Registers a person. */
  async person(name: string): Promise<Actor> {
    const body = { username: this.name(name), password: "secret of the contract", auth: { type: "m.login.dummy" } };
    const client = new TestClient(this.side.url, "", "");
    const made = await client.request("POST", "/_matrix/client/v3/register", { body });
    return new Actor(this, text(made["access_token"]), text(made["user_id"]), name);
  }

  /** Someone without an account. */
  get anyone(): Actor {
    return new Actor(this, "", "", "anyone");
  }

  /** The application service itself. */
  get bot(): Actor {
    return new Actor(this, AS_TOKEN, this.userId("contractbot"), "bot");
  }

  /** A user of the namespace, not registered by this. */
  stranger(name: string): Actor {
    return new Actor(this, AS_TOKEN, this.userId(`contract_${this.name(name)}`), name, true);
  }

  /** A registered user of the namespace. */
  async ghost(name: string): Promise<Actor> {
    const ghost = this.stranger(name);
    await this.bot.call("200", "POST", "/register", {
      body: { type: "m.login.application_service", username: `contract_${this.name(name)}`, inhibit_login: true },
    });
    return ghost;
  }

  note(what: string, came: unknown): void {
    this.notes.push({ what, came });
  }

  /**
   * Waits until the application service has the message `last` of a room, and notes which events of the room it received
   * before, in order, with their keys.
   */
  async delivered(what: string, roomId: string, last: string): Promise<void> {
    await until(20_000, `the event ${last} at the application service`, () =>
      this.#events(roomId).some((event) => event["event_id"] === last) ? true : undefined,
    );
    const seen = new Set<unknown>();
    const events = this.#events(roomId).filter((event) => {
      const isNew = !seen.has(event["event_id"]);
      seen.add(event["event_id"]);
      return isNew;
    });
    this.note(
      what,
      events.map((event) => ({
        ...record(shapeOf(event)),
        type: event["type"],
        membership: record(event["content"])["membership"] ?? "",
      })),
    );
  }

  #events(roomId: string): Record<string, unknown>[] {
    return this.service.events.filter((event) => event["room_id"] === roomId);
  }
}

/** The path with identifiers, names of the case and transaction ids left out. */
function withoutParticulars(where: string): string {
  return decodeURIComponent(where)
    .replaceAll(/([!$@#])[^/?]*/gu, "$1…")
    .replaceAll(/(?<=\/)(?:t\d+|[a-z_]+)-\d+\w*/gu, "…")
    .replaceAll(/(?<=\/devices\/)[A-Z]{10}/gu, "…")
    .replaceAll(/(?<=\/(?:upload|download)\/)contract\.test\/\w+/gu, "…");
}

/** Someone who makes requests. */
export class Actor {
  static #transactions = 0;

  constructor(
    private readonly stage: Stage,
    readonly token: string,
    readonly userId: string,
    private readonly name: string,
    private readonly masquerades = false,
  ) {}

  /** @param expected status, and after a blank the errcode: `403 M_FORBIDDEN` */
  async call(
    expected: string,
    method: string,
    at: string,
    options: CallOptions = {},
  ): Promise<Record<string, unknown>> {
    const where = at.startsWith("/_matrix") ? at : `/_matrix/client/v3${at}`;
    const client = new TestClient(this.stage.side.url, this.token, this.userId);
    const { body, query } = options;
    const answer = await client.exchange(method, where, {
      query: { ...query, ...(this.masquerades ? { user_id: this.userId } : {}) },
      ...(body === undefined ? {} : { content: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const value: unknown = JSON.parse(answer.body.toString());
    const errcode = record(value)["errcode"];
    const came = typeof errcode === "string" ? `${answer.status} ${errcode}` : String(answer.status);
    const request = `${this.name} ${method} ${withoutParticulars(where)}`;
    expect({ request, came, ...(came === expected ? {} : { value }) }).toEqual({ request, came: expected });
    const shape = options.anyShape === true || answer.status >= 400 ? "any" : shapeOf(value);
    if (options.quiet !== true) this.stage.note(request, { came, shape });
    return record(value);
  }

  /** Creates a room. @returns its id */
  async room(body: JsonObject = {}): Promise<string> {
    return text((await this.call("200", "POST", "/createRoom", { body }))["room_id"]);
  }

  /** Sends a message-like event. @returns its id */
  async send(roomId: string, content: JsonObject | string, type = "m.room.message"): Promise<string> {
    const answer = await this.call("200", "PUT", this.sendPath(roomId, type), {
      body: typeof content === "string" ? { msgtype: "m.text", body: content } : content,
    });
    return text(answer["event_id"]);
  }

  sendPath(roomId: string, type = "m.room.message"): string {
    return path`/rooms/${roomId}/send/${type}/` + `t${process.pid}-${++Actor.#transactions}`;
  }

  async join(roomId: string, expected = "200"): Promise<void> {
    await this.call(expected, "POST", path`/rooms/${roomId}/join`, { body: {} });
  }
}
