import { FrameError, Packer, Unpacker } from "./packing.js";

/** The version of this protocol; a holder of another version is asked to end, and a new one is started. */
export const PROTOCOL_VERSION = 5;
/** The longest frame toward the holder, in bytes. */
export const MAX_FRAME_TO_HOLDER = 4 * 1024 * 1024;
/** The longest frame toward the bridge, in bytes. */
export const MAX_FRAME_TO_BRIDGE = 64 * 1024 * 1024;

/** A new value of one key of a connection's state; `undefined` removes it. */
export type StateChange = readonly [key: string, value: string | undefined];

/** How to open a connection to an IRC server. */
export interface OpenOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** PEM certificates to trust instead of the system's. */
  readonly ca: string | undefined;
  /** The name the certificate must hold; `host` where absent. */
  readonly serverName: string | undefined;
  /** Accept any certificate. */
  readonly insecure: boolean;
  /** SHA-256, in lower-case hexadecimal digits: the certificates to accept, and no others; none: whoever proves their name. */
  readonly fingerprints: readonly string[];
  readonly localAddress: string | undefined;
  /** PEM: the certificate and key to show the server. */
  readonly clientCertificate: { readonly certificate: string; readonly key: string } | undefined;
  readonly connectTimeoutMs: number;
  /** A server that is silent for so long is asked for a sign of life. */
  readonly pingAfterMs: number;
  /** How long it may take to give it. */
  readonly pingTimeoutMs: number;
}

/** Between which addresses and ports a connection is. */
export interface SocketEnds {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
}

/** What the bridge says. */
export type ToHolder =
  | { readonly type: "hello"; readonly version: number; readonly nonce: string }
  | { readonly type: "prove"; readonly proof: string; readonly graceMs: number; readonly quit: string }
  | {
      readonly type: "open";
      readonly connection: string;
      readonly options: OpenOptions;
      readonly state: readonly StateChange[];
    }
  /** Sends held lines from now on. */
  | { readonly type: "attach"; readonly connection: string }
  | WriteFrame
  /** Every line up to `line` is on disk; `changes` belong to them. */
  | {
      readonly type: "ack";
      readonly connection: string;
      readonly line: number;
      readonly changes: readonly StateChange[];
    }
  | { readonly type: "state"; readonly connection: string; readonly changes: readonly StateChange[] }
  /** What became of an effect, as the bridge wants to be told it later. */
  | { readonly type: "result"; readonly key: string; readonly result: string }
  | { readonly type: "ask"; readonly request: number; readonly key: string }
  | FilterFrame
  /** Writes `lastLine` and closes. */
  | { readonly type: "close"; readonly connection: string; readonly lastLine: string }
  /** A closed connection is no longer needed. */
  | { readonly type: "forget"; readonly connection: string }
  /** Closes everything and ends the holder. */
  | { readonly type: "shutdown"; readonly lastLine: string };

/** Drop what does not concern `nick` from the lines that follow; an empty nick keeps everything. */
export interface FilterFrame extends FilterRules {
  readonly type: "filter";
  readonly connection: string;
}

/** What tells a puppet's lines from a channel's traffic. */
export interface FilterRules {
  readonly nick: string;
  /** What channels begin with (`CHANTYPES`). */
  readonly channels: string;
  /** What may stand before a channel: to those of a rank there alone (`STATUSMSG`). */
  readonly ranks: string;
}

export interface WriteFrame {
  readonly type: "write";
  readonly connection: string;
  /** 0: no answer wanted. */
  readonly request: number;
  /** The effect that these lines are; empty for none. */
  readonly key: string;
  /** Given back with `held` as long as the effect has no result. */
  readonly meta: string;
  /** Whole lines, each with its CRLF. */
  readonly data: Buffer;
}

/** `written`: handed to the operating system. `gone`: surely not. `unsure`: perhaps, the connection broke. */
export type WriteOutcome = "written" | "gone" | "unsure";

/** What the holder says. */
export type ToBridge =
  | {
      readonly type: "challenge";
      readonly version: number;
      readonly nonce: string;
      readonly proof: string;
      readonly instance: string;
    }
  | HeldFrame
  /** An effect that was given to a connection and has no result yet, in the order of the writes. */
  | {
      readonly type: "pending";
      readonly key: string;
      readonly connection: string;
      readonly meta: string;
      readonly open: boolean;
    }
  /** Everything that is held was named. */
  | { readonly type: "ready" }
  /** The socket is connected; with TLS `opened` follows later. */
  | ({ readonly type: "dialled"; readonly connection: string } & SocketEnds)
  | { readonly type: "opened"; readonly connection: string }
  /** Lines without their line ends, the first of which has the number `first`. */
  | { readonly type: "lines"; readonly connection: string; readonly first: number; readonly lines: readonly Buffer[] }
  /** Comes after the last line. */
  | { readonly type: "closed"; readonly connection: string; readonly reason: string }
  | { readonly type: "written"; readonly request: number; readonly outcome: WriteOutcome }
  | AnswerFrame
  /** Another bridge has attached. */
  | { readonly type: "replaced" };

export interface HeldFrame {
  readonly type: "held";
  readonly connection: string;
  readonly open: boolean;
  readonly state: readonly StateChange[];
}

export interface AnswerFrame {
  readonly type: "answer";
  readonly request: number;
  /** `unknown`: no such effect was ever given to this holder. */
  readonly outcome: WriteOutcome | "unknown";
  readonly connection: string;
  readonly open: boolean;
  readonly result: string | undefined;
}

const TO_HOLDER = [
  "hello",
  "prove",
  "open",
  "attach",
  "write",
  "ack",
  "state",
  "result",
  "ask",
  "filter",
  "close",
  "forget",
  "shutdown",
] as const;
const TO_BRIDGE = [
  "challenge",
  "held",
  "pending",
  "ready",
  "dialled",
  "opened",
  "lines",
  "closed",
  "written",
  "answer",
  "replaced",
] as const;
const OUTCOMES = ["written", "gone", "unsure", "unknown"] as const;

export function encodeToHolder(frame: ToHolder): Buffer {
  const packer = new Packer().u8(TO_HOLDER.indexOf(frame.type));
  switch (frame.type) {
    case "hello":
      return packer.u32(frame.version).text(frame.nonce).frame();
    case "prove":
      return packer.text(frame.proof).u53(frame.graceMs).text(frame.quit).frame();
    case "open":
      packOptions(packer.text(frame.connection), frame.options);
      return packer.list(frame.state, packChange).frame();
    case "attach":
    case "forget":
      return packer.text(frame.connection).frame();
    case "write":
      return packer
        .text(frame.connection)
        .u32(frame.request)
        .text(frame.key)
        .text(frame.meta)
        .bytes(frame.data)
        .frame();
    case "ack":
      return packer.text(frame.connection).u53(frame.line).list(frame.changes, packChange).frame();
    case "state":
      return packer.text(frame.connection).list(frame.changes, packChange).frame();
    case "result":
      return packer.text(frame.key).text(frame.result).frame();
    case "ask":
      return packer.u32(frame.request).text(frame.key).frame();
    case "filter":
      return packer.text(frame.connection).text(frame.nick).text(frame.channels).text(frame.ranks).frame();
    case "close":
      return packer.text(frame.connection).text(frame.lastLine).frame();
    case "shutdown":
      return packer.text(frame.lastLine).frame();
  }
}

/** Throws a `FrameError` on a frame that is none. */
export function decodeToHolder(bytes: Buffer): ToHolder {
  const from = new Unpacker(bytes);
  const type = TO_HOLDER[from.u8()];
  if (type === undefined) throw new FrameError("a frame of an unknown type");
  switch (type) {
    case "hello":
      return { type, version: from.u32(), nonce: from.text() };
    case "prove":
      return { type, proof: from.text(), graceMs: from.u53(), quit: from.text() };
    case "open":
      return { type, connection: from.text(), options: unpackOptions(from), state: from.list(unpackChange) };
    case "attach":
    case "forget":
      return { type, connection: from.text() };
    case "write":
      return {
        type,
        connection: from.text(),
        request: from.u32(),
        key: from.text(),
        meta: from.text(),
        data: from.bytes(),
      };
    case "ack":
      return { type, connection: from.text(), line: from.u53(), changes: from.list(unpackChange) };
    case "state":
      return { type, connection: from.text(), changes: from.list(unpackChange) };
    case "result":
      return { type, key: from.text(), result: from.text() };
    case "ask":
      return { type, request: from.u32(), key: from.text() };
    case "filter":
      return { type, connection: from.text(), nick: from.text(), channels: from.text(), ranks: from.text() };
    case "close":
      return { type, connection: from.text(), lastLine: from.text() };
    case "shutdown":
      return { type, lastLine: from.text() };
  }
}

export function encodeToBridge(frame: ToBridge): Buffer {
  const packer = new Packer().u8(TO_BRIDGE.indexOf(frame.type));
  switch (frame.type) {
    case "challenge":
      return packer.u32(frame.version).text(frame.nonce).text(frame.proof).text(frame.instance).frame();
    case "held":
      return packer.text(frame.connection).bool(frame.open).list(frame.state, packChange).frame();
    case "pending":
      return packer.text(frame.key).text(frame.connection).text(frame.meta).bool(frame.open).frame();
    case "ready":
    case "replaced":
      return packer.frame();
    case "dialled":
      packer.text(frame.connection).text(frame.localAddress).u32(frame.localPort);
      return packer.text(frame.remoteAddress).u32(frame.remotePort).frame();
    case "opened":
      return packer.text(frame.connection).frame();
    case "lines":
      return packer.text(frame.connection).u53(frame.first).list(frame.lines, packBytes).frame();
    case "closed":
      return packer.text(frame.connection).text(frame.reason).frame();
    case "written":
      return packOutcome(packer.u32(frame.request), frame.outcome).frame();
    case "answer":
      packOutcome(packer.u32(frame.request), frame.outcome);
      return packer.text(frame.connection).bool(frame.open).optionalText(frame.result).frame();
  }
}

/** Throws a `FrameError` on a frame that is none. */
export function decodeToBridge(bytes: Buffer): ToBridge {
  const from = new Unpacker(bytes);
  const type = TO_BRIDGE[from.u8()];
  if (type === undefined) throw new FrameError("a frame of an unknown type");
  switch (type) {
    case "challenge":
      return { type, version: from.u32(), nonce: from.text(), proof: from.text(), instance: from.text() };
    case "held":
      return { type, connection: from.text(), open: from.bool(), state: from.list(unpackChange) };
    case "pending":
      return { type, key: from.text(), connection: from.text(), meta: from.text(), open: from.bool() };
    case "ready":
    case "replaced":
      return { type };
    case "dialled":
      return {
        type,
        connection: from.text(),
        localAddress: from.text(),
        localPort: from.u32(),
        remoteAddress: from.text(),
        remotePort: from.u32(),
      };
    case "opened":
      return { type, connection: from.text() };
    case "lines":
      return { type, connection: from.text(), first: from.u53(), lines: from.list((unpacker) => unpacker.bytes()) };
    case "closed":
      return { type, connection: from.text(), reason: from.text() };
    case "written": {
      const request = from.u32();
      const outcome = unpackOutcome(from);
      if (outcome === "unknown") throw new FrameError("a write has no such outcome");
      return { type, request, outcome };
    }
    case "answer":
      return {
        type,
        request: from.u32(),
        outcome: unpackOutcome(from),
        connection: from.text(),
        open: from.bool(),
        result: from.optionalText(),
      };
  }
}

export function packChange(packer: Packer, [key, value]: StateChange): void {
  packer.text(key).optionalText(value);
}

export function unpackChange(from: Unpacker): StateChange {
  return [from.text(), from.optionalText()];
}

function packBytes(packer: Packer, value: Buffer): void {
  packer.bytes(value);
}

export function packOutcome(packer: Packer, outcome: WriteOutcome | "unknown"): Packer {
  return packer.u8(OUTCOMES.indexOf(outcome));
}

export function unpackOutcome(from: Unpacker): WriteOutcome | "unknown" {
  const outcome = OUTCOMES[from.u8()];
  if (outcome === undefined) throw new FrameError("an outcome that is none");
  return outcome;
}

function packOptions(packer: Packer, options: OpenOptions): void {
  packer
    .text(options.host)
    .u32(options.port)
    .bool(options.tls)
    .optionalText(options.ca)
    .optionalText(options.serverName);
  packer.bool(options.insecure).list(options.fingerprints, (each, text) => each.text(text));
  packer.optionalText(options.localAddress);
  packer.optionalText(options.clientCertificate?.certificate).optionalText(options.clientCertificate?.key);
  packer.u32(options.connectTimeoutMs).u32(options.pingAfterMs).u32(options.pingTimeoutMs);
}

function unpackCertificate(from: Unpacker): OpenOptions["clientCertificate"] {
  const [certificate, key] = [from.optionalText(), from.optionalText()];
  return certificate === undefined || key === undefined ? undefined : { certificate, key };
}

function unpackOptions(from: Unpacker): OpenOptions {
  return {
    host: from.text(),
    port: from.u32(),
    tls: from.bool(),
    ca: from.optionalText(),
    serverName: from.optionalText(),
    insecure: from.bool(),
    fingerprints: from.list((each) => each.text()),
    localAddress: from.optionalText(),
    clientCertificate: unpackCertificate(from),
    connectTimeoutMs: from.u32(),
    pingAfterMs: from.u32(),
    pingTimeoutMs: from.u32(),
  };
}
