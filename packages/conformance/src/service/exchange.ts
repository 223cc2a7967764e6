import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import { until } from "../waiting.js";

export interface Asked {
  readonly method: string;
  /** As it is sent: percent-encoded, without query. */
  readonly path: string;
  readonly query?: URLSearchParams;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
  /** `undefined` where the body is no JSON. */
  readonly json: unknown;
}

/** No answer: the connection broke, was refused, or nothing came in time. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
}

const longestAnswer = 8 * 1024 * 1024;

/**
 * One request on a connection of its own. An answer that comes before the body was taken (413) counts, even where the
 * connection then breaks.
 *
 * @throws NoAnswer
 */
export function exchange(base: string, asked: Asked, timeoutMs: number): Promise<Answer> {
  const search = asked.query === undefined || asked.query.size === 0 ? "" : `?${asked.query.toString()}`;
  const url = new URL(base);
  const send = url.protocol === "https:" ? httpsRequest : httpRequest;
  const { body, headers = {} } = asked;
  const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
  return new Promise((resolve, reject) => {
    const request = send({
      protocol: url.protocol,
      hostname: url.hostname.replace(/^\[|\]$/g, ""),
      port: url.port,
      method: asked.method,
      // As it is: a URL object would mend what is to be wrong.
      path: `${url.pathname.replace(/\/$/, "")}${asked.path}${search}`,
      headers: { accept: "application/json", ...headers, ...length },
      agent: false,
    });
    let answered = false;
    const timer = setTimeout(() => request.destroy(new Error(`nothing came within ${timeoutMs / 1_000} s`)), timeoutMs);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      if (!answered) reject(new NoAnswer(error.message));
    };
    request.on("error", fail);
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      const finish = (): void => {
        clearTimeout(timer);
        answered = true;
        const text = Buffer.concat(chunks).toString("utf8");
        resolve({
          status: response.statusCode ?? 0,
          contentType: response.headers["content-type"] ?? "",
          text,
          json: parse(text),
        });
        request.destroy();
      };
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > longestAnswer) request.destroy(new Error("the answer is longer than 8 MiB"));
        else chunks.push(chunk);
      });
      response.on("error", fail);
      response.on("end", finish);
    });
    request.end(body);
  });
}

/** Resolves to whether something listens there, now or soon. */
export async function listens(base: string, patienceMs: number): Promise<boolean> {
  const { hostname, port, protocol } = new URL(base);
  const host = hostname.replace(/^\[|\]$/g, "");
  const at = port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
  const open = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect({ host, port: at });
      const end = (there: boolean): void => {
        socket.destroy();
        resolve(there);
      };
      socket.once("connect", () => end(true));
      socket.once("error", () => end(false));
    });
  return (await until(patienceMs, open)) ?? false;
}

function parse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    // `undefined` is no JSON value: it says that there was none.
    return undefined;
  }
}
