import { specValidator, type SpecDeviation } from "@trestle/testkit";
import { fail } from "../report/finding.js";
import { exchange, NoAnswer, type Answer, type Asked } from "./exchange.js";
import { sections, type Section } from "./sections.js";
import type { ServiceRegistration } from "./target.js";

export interface Credentials {
  /** The bearer token; `false`: no header. The right one where absent. */
  readonly header?: string | false;
  /** `?access_token=`. */
  readonly query?: string;
}

export interface AskOptions extends Credentials {
  readonly parameters?: Readonly<Record<string, string>>;
  /** JSON, unless it is text or bytes. */
  readonly body?: unknown;
  /** The request is wrong on purpose: only the answer is held against the specification. */
  readonly spoiled?: boolean;
  readonly section: Section;
}

const prefix = "/_matrix/app/v1";

/** The suite in the place of a homeserver. Every exchange is held against the specification's schemas where they are here. */
export class Probe {
  readonly #validator = specValidator();
  #deviations: SpecDeviation[] = [];
  #unique = 0;
  readonly #word = `${Date.now().toString(36)}${Math.random().toString(36).slice(2, 6)}`;

  constructor(
    readonly url: string,
    readonly registration: ServiceRegistration,
    readonly serverName: string,
    readonly timeoutMs: number,
  ) {}

  /** Whether answers are held against the schemas. */
  get validates(): boolean {
    return this.#validator !== undefined;
  }

  /** What deviated since the last call. */
  takeDeviations(): SpecDeviation[] {
    return this.#deviations.splice(0);
  }

  /** A word that was never used, also not by an earlier run. */
  unique(prefixed = "c"): string {
    this.#unique += 1;
    return `${prefixed}${this.#word}${this.#unique}`;
  }

  /** Asks, whatever comes of it. @throws NoAnswer */
  async attempt(method: string, path: string, options: AskOptions): Promise<Answer> {
    const query = new URLSearchParams(options.parameters);
    if (options.query !== undefined) query.set("access_token", options.query);
    const headers: Record<string, string> = {};
    if (options.header !== false) headers["authorization"] = `Bearer ${options.header ?? this.registration.hsToken}`;
    const body = bodyOf(options.body);
    if (body !== undefined) headers["content-type"] = "application/json";
    const asked: Asked = { method, path, query, headers, ...(body !== undefined && { body }) };
    const answer = await exchange(this.url, asked, this.timeoutMs);
    this.#validate(asked, answer, options);
    return answer;
  }

  /** Asks and wants an answer: silence is a finding. */
  async ask(method: string, path: string, options: AskOptions): Promise<Answer> {
    try {
      return await this.attempt(method, path, options);
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      return fail({
        failed: `${method} ${shown(path)} was never answered: ${error.message}.`,
        seen: method === "PUT" ? sections.transactions.seen : "whoever asked waits until the homeserver gives up",
        look: sections[options.section].look,
      });
    }
  }

  /** Pushes a transaction; its id is new unless given. */
  push(
    body: unknown,
    options: Omit<AskOptions, "body" | "section"> & { readonly id?: string; readonly section?: Section } = {},
  ): Promise<Answer> {
    const { id = this.unique("t"), section = "transactions", ...rest } = options;
    return this.ask("PUT", `${prefix}/transactions/${encodeURIComponent(id)}`, { section, body, ...rest });
  }

  get(path: string, options: AskOptions): Promise<Answer> {
    return this.ask("GET", prefix + path, options);
  }

  /** The service still takes transactions. */
  async expectAlive(after: string): Promise<void> {
    const answer = await this.push({ events: [] });
    if (answer.status !== 200)
      fail({
        failed: `After ${after}, an empty transaction is answered ${answer.status} ${shown(answer.text)}.`,
        seen: "nothing reaches the bridge any more",
        look: sections.robustness.look,
      });
  }

  /** An ordinary message, unlike every other. */
  message(more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
    return {
      type: "m.room.message",
      event_id: `$${this.unique("e")}`,
      room_id: `!conformance:${this.serverName}`,
      sender: `@conformance:${this.serverName}`,
      origin_server_ts: Date.now(),
      content: { msgtype: "m.text", body: "conformance", "m.mentions": {} },
      unsigned: { age: 5 },
      ...more,
    };
  }

  #validate(asked: Asked, answer: Answer, options: AskOptions): void {
    if (!this.#validator) return;
    const found = this.#validator.check({
      api: "application-service",
      method: asked.method,
      path: asked.path,
      query: asked.query ?? new URLSearchParams(),
      requestType: asked.headers?.["content-type"],
      requestBody: asked.body ?? "",
      status: answer.status,
      responseType: answer.contentType,
      responseBody: answer.text,
      peer: this.registration.id,
      ignoreRequest: options.spoiled ?? false,
    });
    this.#deviations.push(...found);
  }
}

function bodyOf(body: unknown): string | Buffer | undefined {
  if (body === undefined || typeof body === "string" || Buffer.isBuffer(body)) return body;
  return JSON.stringify(body);
}

/** The beginning of something long, on one line. */
export function shown(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > 120 ? `${line.slice(0, 120)}…` : line === "" ? "(nothing)" : line;
}

export function errcodeOf({ json }: Answer): string | undefined {
  const errcode: unknown = typeof json === "object" && json !== null && "errcode" in json ? json.errcode : undefined;
  return typeof errcode === "string" ? errcode : undefined;
}

export function isObject(json: unknown): boolean {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
