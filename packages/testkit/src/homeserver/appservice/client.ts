import { Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Clock } from "../clock.js";
import type { Json } from "../json.js";
import { parseJson } from "../json.js";
import type { Faults } from "../faults/faults.js";
import type { Registration } from "./registration.js";

const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/** An answer of an application service. */
export interface ServiceAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
  /** The body, where it is JSON. */
  readonly json: Json | undefined;
}

/** No answer came: the connection failed, or the time was over. */
export class NoAnswerError extends Error {
  constructor(
    readonly reason: "connection" | "timeout" | "aborted",
    message: string,
  ) {
    super(message);
    this.name = "NoAnswerError";
  }
}

/** One exchange with an application service, for whoever wants to look at it. */
export interface ServiceExchange {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  /** The request body as it was sent. */
  readonly body: string | undefined;
  readonly answer: ServiceAnswer;
}

export interface ServiceClientSettings {
  readonly faults: Faults;
  /** Measures the time to an answer. */
  readonly clock: Clock;
  /** Whether a connection serves more than one request. */
  readonly keepAlive: boolean;
  readonly onExchange: ((exchange: ServiceExchange) => void) | undefined;
}

/** The homeserver as HTTP client of one application service. */
export class ServiceClient {
  #http: HttpAgent;
  #https: HttpsAgent;

  constructor(
    private readonly registration: Registration,
    private readonly settings: ServiceClientSettings,
  ) {
    this.#http = new HttpAgent(this.#agentOptions());
    this.#https = new HttpsAgent(this.#agentOptions());
  }

  #agentOptions(): { keepAlive: boolean; maxSockets: number } {
    return { keepAlive: this.settings.keepAlive, maxSockets: 16 };
  }

  /**
   * @param path with its prefix, without query
   * @param timeoutMs milliseconds of the homeserver's clock
   * @param options `query`: parameters of the request itself; the token is added
   * @throws NoAnswerError
   */
  async send(
    method: string,
    path: string,
    body: string | undefined,
    timeoutMs: number,
    options: { readonly query?: URLSearchParams; readonly signal?: AbortSignal } = {},
  ): Promise<ServiceAnswer> {
    const base = this.registration.url;
    if (base === null) throw new NoAnswerError("connection", `Application service ${this.registration.id} has no url`);
    const { query = new URLSearchParams(), signal } = options;
    const parameters = new URLSearchParams(query);
    if (this.settings.faults.token !== "header") parameters.set("access_token", this.registration.hs_token);
    const search = parameters.size > 0 ? `?${parameters.toString()}` : "";
    const url = new URL(base.replace(/\/$/u, "") + path + search);
    const answer = await this.#exchange(method, url, body, timeoutMs, signal);
    this.settings.onExchange?.({ method, path, query: query.toString(), body, answer });
    return answer;
  }

  /** Closes the idle connections; later requests open new ones. */
  close(): void {
    this.#http.destroy();
    this.#https.destroy();
    this.#http = new HttpAgent(this.#agentOptions());
    this.#https = new HttpsAgent(this.#agentOptions());
  }

  #exchange(
    method: string,
    url: URL,
    body: string | undefined,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<ServiceAnswer> {
    const headers: Record<string, string | number> = { accept: "application/json" };
    if (this.settings.faults.token !== "query") headers["authorization"] = `Bearer ${this.registration.hs_token}`;
    if (body !== undefined) {
      headers["content-type"] = "application/json";
      headers["content-length"] = Buffer.byteLength(body);
    }
    const secure = url.protocol === "https:";
    const options = { method, headers, agent: secure ? this.#https : this.#http, ...(signal ? { signal } : {}) };
    return new Promise((resolve, reject) => {
      const request = secure ? httpsRequest(url, options) : httpRequest(url, options);
      const cancel = this.settings.clock.after(timeoutMs, () => {
        fail(new NoAnswerError("timeout", `no answer within ${timeoutMs} ms`));
        request.destroy();
      });
      const fail = (error: Error): void => {
        cancel();
        reject(error);
      };
      const broken = (error: Error): void =>
        fail(new NoAnswerError(signal?.aborted === true ? "aborted" : "connection", error.message));
      request.on("error", broken);
      request.on("response", (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > MAX_ANSWER_BYTES) request.destroy(new Error("the answer is too long"));
          else chunks.push(chunk);
        });
        response.on("error", broken);
        response.on("end", () => {
          cancel();
          const text = Buffer.concat(chunks).toString("utf8");
          const contentType = response.headers["content-type"] ?? "";
          resolve({ status: response.statusCode ?? 0, contentType, text, json: parseJson(text) });
        });
      });
      request.end(body);
    });
  }
}
