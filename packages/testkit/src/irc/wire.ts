import type { Socket } from "node:net";
import type { IrcClock } from "./clock.js";
import { FloodGate } from "./flood.js";
import type { FloodRules } from "./limits.js";

/** What a connection tells its owner, and asks it. */
export interface WireOwner {
  line(line: string): void;
  /** A line (or its tags) is too long. */
  overlong(): void;
  /** The connection breaks a rule and is to be closed. */
  violates(reason: "Excess Flood" | "RecvQ exceeded" | "SendQ exceeded"): void;
  /** The peer went away; called once, not after `close` or `destroy`. */
  gone(reason: string): void;
  /** The rules that hold now. */
  floodRules(): FloodRules | undefined;
  /** By how many milliseconds every line out is late. */
  lagMs(): number;
  /** In pieces of how many bytes output leaves; 0 for whole. */
  pieceBytes(): number;
}

/** The tags of a line that a client sends, with the `@` and the space: 4094 bytes of tags. */
const TAGS_BYTES = 4096;
const LINGER_MS = 1_000;

/** One TCP connection as lines of bytes: framing, flood rules, late or stopped traffic. */
export class Wire {
  #partial = "";
  #skipping = false;
  #waiting: string[] = [];
  #waitingBytes = 0;
  readonly #gate = new FloodGate();
  #cancelPump: (() => void) | undefined;
  #late: { readonly due: number; readonly bytes: string }[] = [];
  #lateBytes = 0;
  #cancelLate: (() => void) | undefined;
  #pieces: string[] = [];
  #vanished = false;
  #lingerTimer: NodeJS.Timeout | undefined;
  #corked = false;
  #open = true;

  constructor(
    private readonly socket: Socket,
    private readonly owner: WireOwner,
    private readonly clock: IrcClock,
    private readonly lineBytes: number,
    private readonly sendQ: number,
  ) {
    socket.setEncoding("latin1");
    socket.setNoDelay(true);
    socket.on("data", (chunk: string) => this.#take(chunk));
    socket.on("end", () => this.#lost("Connection closed"));
    socket.on("error", (error) => this.#lost(error.message));
    socket.on("close", () => {
      this.#lost("Connection closed");
      clearTimeout(this.#lingerTimer);
    });
  }

  get open(): boolean {
    return this.#open;
  }

  /** Bytes that wait to leave. */
  get queuedBytes(): number {
    return this.socket.writableLength + this.#lateBytes;
  }

  write(line: string): void {
    if (!this.#open || this.#vanished) return;
    const bytes = `${line}\r\n`;
    const lag = this.owner.lagMs();
    if (lag > 0 || this.#late.length > 0) {
      this.#late.push({ due: this.clock.now() + lag, bytes });
      this.#lateBytes += bytes.length;
      this.#cancelLate ??= this.clock.after(lag, () => this.#sendLate());
    } else {
      this.#send(bytes);
    }
    if (this.queuedBytes > this.sendQ) this.owner.violates("SendQ exceeded");
  }

  /** Reads nothing more, so that the peer's send buffer fills. */
  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /** Neither hears nor says anything more, while the connection stays: half open, as after a pulled cable. */
  vanish(): void {
    this.#vanished = true;
    this.socket.pause();
  }

  /** Writes the beginning of a line and closes in the middle of it. */
  closeInMidLine(beginning: string): void {
    this.#forget();
    this.socket.end(beginning, "latin1", () => this.socket.destroy());
  }

  /** Says a last line and closes; what is late is dropped. */
  close(lastLine?: string): void {
    if (!this.#open) return;
    this.#forget();
    if (this.#vanished) {
      this.socket.destroy();
      return;
    }
    this.socket.end(lastLine === undefined ? "" : `${lastLine}\r\n`, "latin1");
    this.socket.resume();
    this.#lingerTimer = setTimeout(() => this.socket.destroy(), LINGER_MS);
    this.#lingerTimer.unref();
  }

  /** Breaks the connection off without a word. */
  destroy(): void {
    this.#forget();
    this.socket.destroy();
  }

  #lost(reason: string): void {
    if (!this.#open) return;
    this.#forget();
    this.socket.destroy();
    this.owner.gone(reason);
  }

  #forget(): void {
    this.#open = false;
    this.#cancelPump?.();
    this.#cancelLate?.();
    this.#late = [];
    this.#waiting = [];
    this.#pieces = [];
  }

  #send(bytes: string): void {
    const size = this.owner.pieceBytes();
    if (size > 0 || this.#pieces.length > 0) {
      const sendSoon = this.#pieces.length === 0;
      for (let start = 0; start < bytes.length; start += size || bytes.length)
        this.#pieces.push(bytes.slice(start, start + (size || bytes.length)));
      if (sendSoon) setImmediate(() => this.#sendPiece());
      return;
    }
    if (!this.#corked) {
      this.#corked = true;
      this.socket.cork();
      process.nextTick(() => {
        this.#corked = false;
        this.socket.uncork();
      });
    }
    this.socket.write(bytes, "latin1");
  }

  #sendPiece(): void {
    const bytes = this.#pieces[0];
    if (bytes === undefined) return;
    this.socket.write(bytes, "latin1", () => {
      this.#pieces.shift();
      if (this.#pieces.length > 0) setImmediate(() => this.#sendPiece());
    });
  }

  #sendLate(): void {
    this.#cancelLate = undefined;
    const now = this.clock.now();
    while (this.#late[0] !== undefined && this.#late[0].due <= now) {
      const { bytes } = this.#late[0];
      this.#late.shift();
      this.#lateBytes -= bytes.length;
      this.#send(bytes);
    }
    const next = this.#late[0];
    if (next !== undefined) this.#cancelLate = this.clock.after(Math.max(1, next.due - now), () => this.#sendLate());
  }

  #take(chunk: string): void {
    if (!this.#open || this.#vanished) return;
    const pieces = (this.#partial + chunk).split("\n");
    this.#partial = pieces.pop() ?? "";
    for (const piece of pieces) {
      if (this.#skipping) this.#skipping = false;
      else this.#arrived(piece.endsWith("\r") ? piece.slice(0, -1) : piece);
    }
    if (this.#partial.length > TAGS_BYTES + this.lineBytes) {
      if (!this.#skipping) this.owner.overlong();
      this.#skipping = true;
      this.#partial = "";
    }
    this.#pump();
  }

  #arrived(line: string): void {
    if (line === "") return;
    this.#waiting.push(line);
    this.#waitingBytes += line.length + 2;
  }

  #pump(): void {
    this.#cancelPump?.();
    while (this.#open && this.#waiting[0] !== undefined) {
      const line = this.#waiting[0];
      const rules = this.owner.floodRules();
      if (rules !== undefined && !this.#mayPass(line, rules)) break;
      this.#waiting.shift();
      this.#waitingBytes -= line.length + 2;
      this.#handle(line);
    }
    const rules = this.owner.floodRules();
    if (this.#open && rules !== undefined && this.#waitingBytes + this.#partial.length > rules.recvQ) {
      this.owner.violates("RecvQ exceeded");
    }
  }

  #mayPass(line: string, rules: FloodRules): boolean {
    if (/^PONG\b/i.test(line)) return true;
    const waitMs = this.#gate.admit(rules, this.clock.now());
    if (waitMs === 0) return true;
    if (rules.fakelag) this.#cancelPump = this.clock.after(waitMs, () => this.#pump());
    else this.owner.violates("Excess Flood");
    return false;
  }

  #handle(line: string): void {
    const tagBytes = line.startsWith("@") ? line.indexOf(" ") + 1 : 0;
    if (tagBytes > TAGS_BYTES || line.length - tagBytes > this.lineBytes - 2) this.owner.overlong();
    else this.owner.line(line);
  }
}
