import { EventEmitter } from "node:events";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { StringDecoder } from "node:string_decoder";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { domainToASCII } from "node:url";
import { asError } from "../../stream/errors.js";
import { isAllowed, lookupAllowed, type Place } from "./places.js";

/**
 * The socket of a client's stream, plain at first and encrypted from `secure` on, under the same listeners. It hands out
 * text, decoded across reads, and an exception of whoever listens to the text ends it instead of the process.
 */
export class SecurableSocket extends EventEmitter {
  #socket: Socket | undefined;
  #decoder = new StringDecoder("utf8");
  #isPaused = false;
  #isSecure = false;

  constructor(private readonly place: Place) {
    super();
  }

  /** Whether all is encrypted, to a server whose certificate was verified. */
  get isSecure(): boolean {
    return this.#isSecure;
  }

  /** In bytes: what is written and not taken by the system. */
  get writableLength(): number {
    return this.#socket?.writableLength ?? 0;
  }

  /** Called by the library; where to is known already. */
  connect(): void {
    const { host, port } = this.place;
    if (isIP(host) !== 0 && !isAllowed(this.place, host)) {
      queueMicrotask(() => this.emit("error", new Error(`${host} is no public address`)));
      return;
    }
    const socket = connectTcp({ host, port, lookup: lookupAllowed(this.place), autoSelectFamily: true, noDelay: true });
    this.#attach(socket);
    socket.once("connect", () => {
      // A name that is an address is not looked up.
      if (isAllowed(this.place, socket.remoteAddress ?? "")) this.emit("connect");
      else this.destroy(new Error(`${host} is at an address that is not public`));
    });
  }

  /**
   * Encrypts the connection. Resolves when the certificate was found to be one for `domain`, of an authority that is
   * trusted; rejects otherwise, and nothing more is sent.
   */
  secure(domain: string): Promise<void> {
    const plain = this.#socket;
    if (!plain) return Promise.reject(new Error("The connection has ended"));
    const name = domainToASCII(domain) || domain;
    const { ca } = this.place;
    return new Promise((resolve, reject) => {
      for (const event of ["data", "close", "error"]) plain.removeAllListeners(event);
      plain.on("error", reject);
      const encrypted: TLSSocket = connectTls({
        socket: plain,
        // An address cannot be asked for by name (RFC 6066 §3).
        ...(isIP(name) === 0 ? { servername: name } : { host: name }),
        rejectUnauthorized: true,
        minVersion: "TLSv1.2",
        ...(ca !== undefined && { ca }),
      });
      this.#decoder = new StringDecoder("utf8");
      this.#socket = encrypted;
      const failed = (error: Error): void => reject(error);
      encrypted.once("error", failed);
      encrypted.once("close", () => reject(new Error("The server closed the connection while it was encrypted")));
      encrypted.once("secureConnect", () => {
        if (!encrypted.authorized) {
          encrypted.destroy();
          reject(encrypted.authorizationError);
          return;
        }
        this.#isSecure = true;
        this.#attach(encrypted);
        encrypted.removeListener("error", failed);
        resolve();
      });
    });
  }

  write(text: string, done: (error?: Error | null) => void): void {
    if (this.#socket) this.#socket.write(text, done);
    else done(new Error("The connection has ended"));
  }

  end(text?: string): void {
    if (text === undefined) this.#socket?.end();
    else this.#socket?.end(text);
  }

  pause(): void {
    this.#isPaused = true;
    this.#socket?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#socket?.resume();
  }

  /** Ends it at once; what the system still holds does not go out. */
  reset(): void {
    const socket = this.#socket;
    // What is under an encrypted one is closed with it.
    if (socket && !this.#isSecure) socket.resetAndDestroy();
    else socket?.destroy();
  }

  destroy(error?: Error): void {
    this.#socket?.destroy(error);
  }

  #attach(socket: Socket): void {
    this.#socket = socket;
    if (this.#isPaused) socket.pause();
    socket.on("data", (data: Buffer) => this.#heard(this.#decoder.write(data)));
    socket.on("error", (error) => this.emit("error", error));
    socket.on("close", (dirty) => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.emit("close", dirty);
    });
  }

  #heard(text: string): void {
    if (text === "") return;
    try {
      this.emit("data", text);
    } catch (error) {
      this.destroy(asError(error));
    }
  }
}
