import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { ActiveFault, RequestFilter } from "../faults/request-faults.js";
import type { Homeserver } from "../homeserver.js";
import type { Json, JsonObject } from "../json.js";
import { integerField, isObject, jsonEquals, objectField, parseJson, stringField } from "../json.js";

const MAX_BODY_BYTES = 16 * 1024 * 1024;
const MAX_FAULTS = 10_000;

type Command = (body: JsonObject) => Json | Promise<Json>;

/**
 * The door of a homeserver that runs in a process of its own: `POST /_testkit/<command>` with a JSON object, answered
 * with JSON. It listens on a port apart, so that it survives restarts and outages of the homeserver.
 */
export class ControlServer {
  readonly #commands: ReadonlyMap<string, Command>;
  readonly #faults = new Map<number, ActiveFault>();
  #nextFault = 1;
  #server: Server | undefined;

  constructor(private readonly homeserver: Homeserver) {
    this.#commands = new Map(Object.entries({ ...this.#doorCommands(), ...this.#faultCommands() }));
  }

  /** @returns the base URL, `http://127.0.0.1:<port>/_testkit` */
  listen(port = 0): Promise<string> {
    const server = createServer((request, response) => {
      void this.#serve(request, response);
    });
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", () => {
        const address = server.address();
        if (address === null || typeof address === "string")
          reject(new Error("the control endpoint has no TCP address"));
        else resolve(`http://127.0.0.1:${address.port}/_testkit`);
      });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#server === undefined) resolve();
      else {
        this.#server.close(() => resolve());
        this.#server.closeAllConnections();
      }
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answer = (status: number, json: Json): void => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(json));
    };
    try {
      const body = parseJson((await readBody(request)) || "{}");
      const name = (request.url ?? "").replace(/^\/_testkit\//u, "");
      const command = this.#commands.get(name);
      if (command === undefined) answer(404, { error: `no command '${name}'`, commands: [...this.#commands.keys()] });
      else if (!isObject(body)) answer(400, { error: "the body must be a JSON object" });
      else answer(200, await command(body));
    } catch (error) {
      answer(400, { error: error instanceof Error ? error.message : String(error) });
    }
  }

  #doorCommands(): Record<string, Command> {
    const { homeserver } = this;
    return {
      status: () => ({ url: homeserver.url, requests: homeserver.requests.total, rooms: homeserver.roomIds().length }),
      "create-user": (body) => ({
        ...homeserver.createUser(required(body, "localpart"), stringField(body, "password")),
      }),
      "add-appservice": (body) => ({ id: homeserver.addAppService(body).id }),
      "send-event": (body) => {
        const event = {
          sender: required(body, "sender"),
          type: required(body, "type"),
          content: objectField(body, "content") ?? {},
          ...optionalStateKey(body),
        };
        return homeserver.sendEvent(required(body, "room_id"), event);
      },
      rooms: () => homeserver.roomIds(),
      timeline: (body) => {
        const type = stringField(body, "type");
        const room = homeserver.room(required(body, "room_id"));
        return type === undefined ? room.timeline() : room.messages(type);
      },
      state: (body) =>
        homeserver.room(required(body, "room_id")).state(required(body, "type"), stringField(body, "state_key")) ??
        null,
      "wait-for": (body) => {
        const { timeoutMs, future } = body;
        const roomId = stringField(body, "room_id");
        return homeserver.waitFor((event) => contains(event, objectField(body, "event") ?? {}), {
          ...(typeof timeoutMs === "number" ? { timeoutMs } : {}),
          ...(typeof future === "boolean" ? { future } : {}),
          ...(roomId === undefined ? {} : { roomId }),
        });
      },
      members: (body) => homeserver.room(required(body, "room_id")).members(),
      pushes: (body) => ({ ...homeserver.pushState(required(body, "id")) }),
      requests: () => homeserver.requests.counters(),
      "reset-requests": () => {
        homeserver.requests.reset();
        return {};
      },
      deviations: () => homeserver.specDeviations.map((deviation) => ({ ...deviation })),
      "retry-transactions": () => {
        homeserver.retryTransactions();
        return {};
      },
      "reset-transaction-ids": () => {
        homeserver.resetTransactionIds();
        return {};
      },
      advance: (body) => homeserver.advance(integerField(body, "ms") ?? 0).then(() => ({})),
      restart: (body) =>
        homeserver.restart({ forgetTransactions: body["forgetTransactions"] === true }).then(() => ({})),
      kill: () => homeserver.kill().then((forgotten) => ({ forgotten })),
      "stop-listening": () => homeserver.pause().then(() => ({})),
      "start-listening": () => homeserver.start().then(() => ({})),
    };
  }

  #faultCommands(): Record<string, Command> {
    const { faults } = this.homeserver;
    return {
      faults: (body) => {
        faults.assign(body);
        return faults.toJSON();
      },
      "faults/answer": (body) => {
        const { errcode, error, html } = body;
        const retryAfterMs = integerField(body, "retryAfterMs");
        const answer = {
          status: integerField(body, "status") ?? 500,
          ...(typeof errcode === "string" ? { errcode } : {}),
          ...(typeof error === "string" ? { error } : {}),
          ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
          ...(typeof html === "boolean" ? { html } : {}),
        };
        return this.#remember(faults.answer(answer, filterOf(body)));
      },
      "faults/drop": (body) =>
        this.#remember(faults.drop(body["when"] === "after" ? "after" : "before", filterOf(body))),
      "faults/delay": (body) => this.#remember(faults.delay(integerField(body, "ms") ?? 0, filterOf(body))),
      "faults/applied": (body) => ({ applied: this.#fault(body).applied }),
      "faults/remove": (body) => {
        this.#fault(body).remove();
        return {};
      },
      "faults/clear": () => {
        faults.clear();
        this.#faults.clear();
        return {};
      },
    };
  }

  #remember(fault: ActiveFault): JsonObject {
    if (this.#faults.size >= MAX_FAULTS) throw new Error(`more than ${MAX_FAULTS} faults: clear them first`);
    const id = this.#nextFault++;
    this.#faults.set(id, fault);
    return { id };
  }

  #fault(body: JsonObject): ActiveFault {
    const fault = this.#faults.get(integerField(body, "id") ?? 0);
    if (fault === undefined) throw new Error(`no fault ${JSON.stringify(body["id"] ?? null)}`);
    return fault;
  }
}

/** Whether `value` has everything that `part` has. */
function contains(value: Json | undefined, part: Json): boolean {
  if (isObject(part))
    return isObject(value) && Object.entries(part).every(([key, entry]) => contains(value[key], entry));
  return jsonEquals(value, part);
}

function optionalStateKey(body: JsonObject): { stateKey?: string } {
  const stateKey = stringField(body, "state_key");
  return stateKey === undefined ? {} : { stateKey };
}

function required(body: JsonObject, key: string): string {
  const value = stringField(body, key);
  if (value === undefined) throw new Error(`the body needs a string '${key}'`);
  return value;
}

/** The keys of {@link RequestFilter} in the object under `filter`. */
function filterOf(body: JsonObject): RequestFilter {
  const filter = objectField(body, "filter") ?? {};
  const { method, route, userId, fromAppService, times, probability } = filter;
  return {
    ...(typeof method === "string" ? { method } : {}),
    ...(typeof route === "string" ? { route } : {}),
    ...(typeof userId === "string" ? { userId } : {}),
    ...(typeof fromAppService === "boolean" ? { fromAppService } : {}),
    ...(typeof times === "number" ? { times } : {}),
    ...(typeof probability === "number" ? { probability } : {}),
  };
}

function readBody(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_BODY_BYTES) request.destroy(new Error("the body is too long"));
      else chunks.push(chunk);
    });
    request.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
    request.on("error", reject);
  });
}
