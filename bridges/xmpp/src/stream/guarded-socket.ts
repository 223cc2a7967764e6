import { Socket } from "node:net";
import { asError } from "./errors.js";

/**
 * A TCP socket that hands out text, decoded across reads (the library decodes each read by itself, which damages
 * characters that lie across two), and that an exception of whoever listens to the text ends: it becomes the socket's
 * error instead of the process's.
 */
export class GuardedSocket extends Socket {
  constructor() {
    super();
    this.setEncoding("utf8");
    this.setNoDelay(true);
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (event !== "data") return super.emit(event, ...args);
    try {
      return super.emit(event, ...args);
    } catch (error) {
      this.destroy(asError(error));
      return true;
    }
  }
}
