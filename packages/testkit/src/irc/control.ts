import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { CAPABILITIES } from "./capabilities/catalogue.js";
import { JOIN_REFUSALS, NICK_REFUSALS } from "./faults/faults.js";
import type { IrcServer } from "./server.js";

type Body = Readonly<Record<string, unknown>>;

const LARGEST_BODY = 1024 * 1024;

/** A request that cannot be fulfilled, said to the person who made it. */
class ControlError extends Error {
  override readonly name = "ControlError";
}

/**
 * The faults of `POST /_testkit/<name>`, with the arguments of the methods of `IrcServer` as members of the JSON body.
 * What cannot be sent as JSON (`judgeMessages`) is missing.
 */
const FAULTS: Readonly<Record<string, (irc: IrcServer, body: Body) => unknown>> = {
  start: (irc) => irc.start(),
  stop: (irc) => irc.stop(),
  disconnect: (irc, body) => irc.disconnect(text(body, "nick"), optionalText(body, "reason")),
  floodKill: (irc, body) => irc.floodKill(text(body, "nick")),
  kill: (irc, body) => irc.kill(text(body, "nick"), text(body, "reason"), optionalText(body, "by")),
  vanish: (irc, body) => irc.vanish(text(body, "nick")),
  closeInMidLine: (irc, body) => irc.closeInMidLine(text(body, "nick"), text(body, "beginning")),
  acceptMutely: (irc, body) => irc.acceptMutely(flag(body, "on")),
  inPieces: (irc, body) => irc.inPieces(count(body, "bytes")),
  lag: (irc, body) => irc.lag(count(body, "ms")),
  pauseReading: (irc, body) => irc.pauseReading(text(body, "nick")),
  resumeReading: (irc, body) => irc.resumeReading(text(body, "nick")),
  refuseRegistration: (irc, body) => irc.refuseRegistration(optionalText(body, "text")),
  holdNick: (irc, body) => irc.holdNick(text(body, "nick"), numeric(NICK_REFUSALS, body) ?? "433"),
  releaseNick: (irc, body) => irc.releaseNick(text(body, "nick")),
  closeChannel: (irc, body) => irc.closeChannel(text(body, "channel"), numeric(JOIN_REFUSALS, body)),
  forwardJoins: (irc, body) => irc.forwardJoins(text(body, "from"), optionalText(body, "to")),
  netsplit: (irc, body) => irc.netsplit(texts(body, "nicks")),
  netjoin: (irc) => irc.netjoin(),
  setCapability: (irc, body) => irc.setCapability(capability(body), flag(body, "on")),
  setServices: (irc, body) => irc.setServices(flag(body, "on")),
  stallSasl: (irc, body) => irc.stallSasl(flag(body, "on")),
  forgeScram: (irc, body) => irc.forgeScram(flag(body, "on")),
  addAccount: (irc, body) =>
    irc.addAccount(text(body, "name"), {
      password: text(body, "password"),
      fingerprints: texts(body, "fingerprints"),
    }),
  setMsgid: (irc, body) => irc.setMsgid(flag(body, "on")),
  setFlood: (irc, body) => irc.setFlood(floodRules(body)),
  setAccount: (irc, body) => irc.setAccount(text(body, "nick"), optionalText(body, "account")),
  changeHost: (irc, body) => irc.changeHost(text(body, "nick"), text(body, "user"), text(body, "host")),
  renameClient: (irc, body) => irc.renameClient(text(body, "nick"), text(body, "to")),
  setModes: (irc, body) => irc.setModes(text(body, "channel"), text(body, "modes"), ...texts(body, "params")),
  setTopic: (irc, body) => irc.setTopic(text(body, "channel"), text(body, "text")),
  kick: (irc, body) => irc.kick(text(body, "channel"), text(body, "nick"), text(body, "reason")),
  sendRaw: (irc, body) => irc.sendRaw(text(body, "nick"), text(body, "line")),
};

/** What `GET /_testkit/<name>` shows; arguments are in the query. */
const VIEWS: Readonly<Record<string, (irc: IrcServer, query: URLSearchParams) => unknown>> = {
  status: (irc) => ({
    listening: irc.listening,
    host: irc.host,
    port: irc.port,
    nicks: irc.nicks,
    connections: irc.connections,
  }),
  channel: (irc, query) => {
    const { log, ...rest } = irc.channel(query.get("name") ?? "");
    return { log: log.slice(Number(query.get("after") ?? 0)), count: log.length, ...rest };
  },
  messages: (irc, query) => irc.messagesTo(query.get("nick") ?? ""),
  lines: (irc, query) => irc.linesFrom(query.get("nick") ?? ""),
};

/** An HTTP server for the faults and views of an IRC server in a process of its own. Not listening yet. */
export function createControl(irc: IrcServer): Server {
  return createServer((request, response) => {
    answer(irc, request).then(
      (value) => respond(response, 200, value ?? {}),
      (error: unknown) => {
        const message = error instanceof Error ? error.message : String(error);
        respond(response, 400, { error: message });
      },
    );
  });
}

async function answer(irc: IrcServer, request: IncomingMessage): Promise<unknown> {
  const url = new URL(request.url ?? "/", "http://localhost");
  const name = /^\/_testkit\/(\w+)$/.exec(url.pathname)?.[1] ?? "";
  const view = request.method === "GET" && Object.hasOwn(VIEWS, name) ? VIEWS[name] : undefined;
  if (view !== undefined) return view(irc, url.searchParams);
  const fault = request.method === "POST" && Object.hasOwn(FAULTS, name) ? FAULTS[name] : undefined;
  if (fault !== undefined) return fault(irc, await readBody(request));
  throw new ControlError(
    `There is no ${request.method ?? ""} ${url.pathname}; POST /_testkit/ has ${Object.keys(FAULTS).join(", ")}; GET /_testkit/ has ${Object.keys(VIEWS).join(", ")}.`,
  );
}

function respond(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

async function readBody(request: IncomingMessage): Promise<Body> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk as Uint8Array);
    size += bytes.length;
    if (size > LARGEST_BODY) throw new ControlError(`The body is larger than ${LARGEST_BODY} bytes.`);
    chunks.push(bytes);
  }
  const json = Buffer.concat(chunks).toString("utf8");
  const value: unknown = json === "" ? {} : JSON.parse(json);
  if (!isBody(value)) throw new ControlError("The body must be a JSON object.");
  return value;
}

export function isBody(value: unknown): value is Body {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(body: Body, key: string): string {
  const value = body[key];
  if (typeof value !== "string") throw new ControlError(`"${key}" must be a string.`);
  return value;
}

function optionalText(body: Body, key: string): string | undefined {
  return body[key] === undefined || body[key] === null ? undefined : text(body, key);
}

function texts(body: Body, key: string): string[] {
  const value = body[key] ?? [];
  if (!Array.isArray(value) || !value.every((item) => typeof item === "string"))
    throw new ControlError(`"${key}" must be a list of strings.`);
  return value;
}

function count(body: Body, key: string): number {
  const value = body[key];
  if (typeof value !== "number" || !(value >= 0)) throw new ControlError(`"${key}" must be a number, 0 or more.`);
  return value;
}

function flag(body: Body, key: string): boolean {
  const value = body[key];
  if (typeof value !== "boolean") throw new ControlError(`"${key}" must be true or false.`);
  return value;
}

function numeric<Numeric extends string>(known: readonly Numeric[], body: Body): Numeric | undefined {
  const given = optionalText(body, "numeric");
  const found = known.find((one) => one === given);
  if (given !== undefined && found === undefined)
    throw new ControlError(`"numeric" must be one of ${known.join(", ")}.`);
  return found;
}

function capability(body: Body): (typeof CAPABILITIES)[number] {
  const name = text(body, "name");
  const known = CAPABILITIES.find((one) => one === name);
  if (known === undefined) throw new ControlError(`"name" must be one of ${CAPABILITIES.join(", ")}.`);
  return known;
}

function floodRules(body: Body): Parameters<IrcServer["setFlood"]>[0] {
  if (body["off"] === true) return undefined;
  return {
    ...(body["threshold"] === undefined ? {} : { threshold: count(body, "threshold") }),
    ...(body["rate"] === undefined ? {} : { rate: count(body, "rate") }),
    ...(body["fakelag"] === undefined ? {} : { fakelag: flag(body, "fakelag") }),
    ...(body["recvQ"] === undefined ? {} : { recvQ: count(body, "recvQ") }),
  };
}
