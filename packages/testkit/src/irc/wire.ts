import type { Socket } from "node:net";
import type { FloodRules } from "./options.js";

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
}

const TAGS_BYTES = 4096;
const LINGER_MS = 1_000;

/** One TCP connection as lines of bytes: framing, flood rules, late or stopped traffic. */
export class Wire {
  #partial = "";
  #skipping = false;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #debt = 0;
  #debtAt = 0;
  #pumpTimer: NodeJS.Timeout | undefined;
  #late: { readonly due: number; readonly bytes: string }[] = [];
  #lateBytes = 0;
  #lateTimer: NodeJS.Timeout | undefined;
  #lingerTimer: NodeJS.Timeout | undefined;
  #corked = false;
  #open = true;

  constructor(
    private readonly socket: Socket,
    private readonly owner: WireOwner,
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
    if (!this.#open) return;
    const bytes = `${line}\r\n`;
    const lag = this.owner.lagMs();
    if (lag > 0 || this.#late.length > 0) {
      this.#late.push({ due: Date.now() + lag, bytes });
      this.#lateBytes += bytes.length;
      this.#lateTimer ??= setTimeout(() => this.#sendLate(), lag);
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

  /** Says a last line and closes; what is late is dropped. */
  close(lastLine?: string): void {
    if (!this.#open) return;
    this.#forget();
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
    clearTimeout(this.#pumpTimer);
    clearTimeout(this.#lateTimer);
    this.#late = [];
    this.#waiting = [];
  }

  #send(bytes: string): void {
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

  #sendLate(): void {
    this.#lateTimer = undefined;
    const now = Date.now();
    while (this.#late[0] !== undefined && this.#late[0].due <= now) {
      const { bytes } = this.#late[0];
      this.#late.shift();
      this.#lateBytes -= bytes.length;
      this.#send(bytes);
    }
    const next = this.#late[0];
    if (next !== undefined) this.#lateTimer = setTimeout(() => this.#sendLate(), Math.max(1, next.due - now));
  }

  #take(chunk: string): void {
    if (!this.#open) return;
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
    clearTimeout(this.#pumpTimer);
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
    const now = Date.now();
    this.#debt = Math.max(0, this.#debt - ((now - this.#debtAt) / 1000) * rules.rate);
    this.#debtAt = now;
    if (this.#debt + 1 <= rules.threshold) {
      this.#debt += 1;
      return true;
    }
    if (rules.fakelag) {
      const waitMs = ((this.#debt + 1 - rules.threshold) / rules.rate) * 1000;
      this.#pumpTimer = setTimeout(() => this.#pump(), Math.ceil(waitMs) + 1);
    } else {
      this.owner.violates("Excess Flood");
    }
    return false;
  }

  #handle(line: string): void {
    const tagBytes = line.startsWith("@") ? line.indexOf(" ") + 1 : 0;
    if (tagBytes > TAGS_BYTES || line.length - tagBytes > this.lineBytes - 2) this.owner.overlong();
    else this.owner.line(line);
  }
}
