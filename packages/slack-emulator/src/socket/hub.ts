import { randomUUID } from "node:crypto";
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { Clock } from "../clock.js";
import type { Attempt, AttemptResult, Delivery, Transport } from "../events/delivery.js";
import type { Json, JsonObject } from "../json.js";
import { type Acknowledgement, type DisconnectReason, SocketConnection } from "./connection.js";

/** How sockets behave. */
export interface SocketHubOptions {
  readonly clock: Clock;
  /** Milliseconds an app has to acknowledge an envelope. */
  readonly ackTimeout: number;
  /** Milliseconds a client has to leave after it was asked to. */
  readonly leaveTimeout: number;
  readonly loseAck: (delivery: Delivery) => boolean;
}

const mostConnections = 10;
const closeTimeout = 1000;
const ticketLifetime = 30_000;
const host = "applink-emulated";

/** The sockets of all apps. Each envelope goes to one of an app's connections, by turns. */
export class SocketHub implements Transport {
  readonly #options: SocketHubOptions;
  readonly #server = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  readonly #connections = new Map<string, SocketConnection[]>();
  readonly #tickets = new Map<string, { readonly appId: string; readonly expiresAt: number }>();
  readonly #turns = new Map<string, number>();
  readonly #made = new Map<string, number>();

  constructor(options: SocketHubOptions) {
    this.#options = options;
  }

  /** Takes the upgrade requests of a server. */
  attach(server: Server): void {
    server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
  }

  /** A ticket for one connection; good once and for half a minute. */
  ticket(appId: string): string {
    const now = this.#options.clock.now();
    for (const [key, entry] of this.#tickets) if (entry.expiresAt <= now) this.#tickets.delete(key);
    const ticket = randomUUID();
    this.#tickets.set(ticket, { appId, expiresAt: now + ticketLifetime });
    return ticket;
  }

  /** The open connections of an app, oldest first. */
  connections(appId: string): readonly SocketConnection[] {
    return this.#connections.get(appId) ?? [];
  }

  /** How many connections of an app have ever been welcomed. */
  connectionsMade(appId: string): number {
    return this.#made.get(appId) ?? 0;
  }

  async attempt(delivery: Delivery, attempt: Attempt): Promise<AttemptResult> {
    const acknowledgement = await this.#envelope(delivery.app.id, "events_api", delivery.body, {
      accepts_response_payload: false,
      retry_attempt: attempt.number,
      retry_reason: attempt.reason ?? "",
    });
    if (acknowledgement === undefined) return { ok: false, reason: "connection_failed" };
    if (!acknowledgement.acked)
      return { ok: false, reason: acknowledgement.reason === "timeout" ? "timeout" : "connection_failed" };
    return this.#options.loseAck(delivery) ? { ok: false, reason: "timeout" } : { ok: true };
  }

  /** Sends something an app answers in its acknowledgement, such as a slash command; undefined without a connection. */
  async request(appId: string, type: string, payload: JsonObject): Promise<Acknowledgement | undefined> {
    return this.#envelope(appId, type, payload, { accepts_response_payload: true });
  }

  /** Asks one or all connections of an app to leave; those that stay are closed after the time they have. */
  askToLeave(appId: string, reason: DisconnectReason, which?: SocketConnection): void {
    for (const connection of which === undefined ? [...this.connections(appId)] : [which]) {
      connection.askToLeave(reason, host);
      if (reason !== "warning") this.#options.clock.after(this.#options.leaveTimeout, () => connection.close());
    }
  }

  /** Cuts all connections of an app without a word. */
  cut(appId: string): void {
    for (const connection of [...this.connections(appId)]) connection.cut();
  }

  /** Sends a frame of any form to all connections of an app. */
  sendRaw(appId: string, frame: Json | string): void {
    for (const connection of this.connections(appId)) connection.send(frame);
  }

  /** Closes everything for good. */
  async close(): Promise<void> {
    await this.closeAll();
    this.#server.close();
  }

  /** Closes all connections; those that do not close in time are cut. Tickets are void. */
  async closeAll(): Promise<void> {
    this.#tickets.clear();
    const open = [...this.#connections.values()].flat();
    for (const connection of open) connection.close();
    const cutting = setTimeout(() => {
      for (const connection of open) connection.cut();
    }, closeTimeout);
    await Promise.all(open.map((connection) => connection.closed));
    clearTimeout(cutting);
  }

  async #envelope(
    appId: string,
    type: string,
    payload: JsonObject,
    fields: JsonObject,
  ): Promise<Acknowledgement | undefined> {
    const connection = this.#next(appId);
    if (connection === undefined) return undefined;
    const envelopeId = randomUUID();
    const timer = this.#options.clock.after(this.#options.ackTimeout, () => connection.forget(envelopeId));
    const acknowledgement = await connection.sendEnvelope(envelopeId, {
      envelope_id: envelopeId,
      type,
      payload,
      ...fields,
    });
    timer.cancel();
    return acknowledgement;
  }

  #next(appId: string): SocketConnection | undefined {
    const usable = this.connections(appId).filter((connection) => connection.open && !connection.draining);
    const turn = (this.#turns.get(appId) ?? -1) + 1;
    this.#turns.set(appId, turn);
    return usable[turn % Math.max(1, usable.length)];
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const url = new URL(request.url ?? "/", "ws://emulator");
    const ticket = url.searchParams.get("ticket") ?? "";
    const entry = url.pathname === "/link" ? this.#tickets.get(ticket) : undefined;
    this.#tickets.delete(ticket);
    if (entry === undefined || entry.expiresAt <= this.#options.clock.now()) {
      socket.end("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (webSocket) => this.#welcome(entry.appId, webSocket));
  }

  #welcome(appId: string, webSocket: WebSocket): void {
    const list = this.#connections.get(appId) ?? [];
    const connection = new SocketConnection(randomUUID(), appId, webSocket, () => {
      const at = list.indexOf(connection);
      if (at >= 0) list.splice(at, 1);
    });
    if (list.length >= mostConnections) {
      connection.askToLeave("too_many_websockets", host);
      connection.close();
      return;
    }
    list.push(connection);
    this.#connections.set(appId, list);
    this.#made.set(appId, this.connectionsMade(appId) + 1);
    connection.send({
      type: "hello",
      num_connections: list.length,
      debug_info: { host, build_number: 1, approximate_connection_time: 18_060 },
      connection_info: { app_id: appId },
    });
  }
}
