import type { StateChange } from "../holder/frames.js";
import { fold } from "../wire/casemapping.js";
import { Isupport, sharedIsupport } from "../wire/isupport.js";
import type { IrcMessage } from "../wire/message.js";
import { parseSource } from "../wire/source.js";
import { BASE_KEY, CHANNEL_KEY, type ConnectionState, encodeState, type Origin, type Role } from "./state.js";

/** Services give ranks behind the JOIN: whoever came so long ago has theirs, in milliseconds. */
const RANKED_WITHIN_MS = 3_000;

/** What a connection knows of itself: its nick and mask, its channels, what the server can do. Survives a restart with the holder. */
export class OwnView {
  readonly channels = new Map<string, string>();
  readonly capabilities = new Set<string>();
  /** When we came into a channel, by its folded name; of those of the process before nothing is known. */
  readonly #came = new Map<string, number>();
  #nick: string;
  #user: string | undefined;
  #host: string | undefined;
  #isupport = new Isupport();
  #isInspircdWithDeaf = false;

  constructor(
    private readonly role: Role,
    nick: string,
    /** What the connection was opened with. */
    readonly origin?: Origin,
  ) {
    this.#nick = nick;
  }

  /** Takes over what the process before knew. */
  static restore(state: ConnectionState, changes: readonly StateChange[]): OwnView {
    const view = new OwnView(state.role, state.nick, state.origin);
    view.#user = state.user;
    view.#host = state.host;
    view.#isupport = sharedIsupport(state.isupport);
    for (const name of state.capabilities) view.capabilities.add(name);
    for (const [key, value] of changes) {
      if (key.startsWith(CHANNEL_KEY) && value !== undefined) view.channels.set(key.slice(CHANNEL_KEY.length), value);
    }
    return view;
  }

  get nick(): string {
    return this.#nick;
  }

  get isupport(): Isupport {
    return this.#isupport;
  }

  /**
   * The user mode with which the server sends us nothing of what is said in channels: what it announces as `DEAF`, or
   * InspIRCd's, which announces none. `undefined` where none is known: the letters mean something else elsewhere.
   */
  get deafMode(): string | undefined {
    return this.#isupport.get("DEAF") || (this.#isInspircdWithDeaf ? "d" : undefined);
  }

  /** `user@host` as others see it, as far as it is known. */
  get address(): { readonly user: string | undefined; readonly host: string | undefined } {
    return { user: this.#user, host: this.#host };
  }

  fold(text: string): string {
    return fold(text, this.#isupport.caseMapping);
  }

  isOwn(nick: string): boolean {
    return this.fold(nick) === this.fold(this.#nick);
  }

  /** Whether we may still be given a rank in a channel, for we have only just come. */
  isNewIn(folded: string): boolean {
    const came = this.#came.get(folded);
    return came !== undefined && performance.now() - came < RANKED_WITHIN_MS;
  }

  /** Whether a line is ours: we said it, or the server says it for us under another name (`draft/relaymsg`). */
  isOwnLine({ source, verb, tags }: IrcMessage): boolean {
    const relayedBy = verb === "PRIVMSG" || verb === "NOTICE" ? tags.get("draft/relaymsg") : undefined;
    return (
      (source !== "" && this.isOwn(parseSource(source).nick)) || (relayedBy !== undefined && this.isOwn(relayedBy))
    );
  }

  /** Before the server has confirmed it. */
  askedFor(nick: string): void {
    this.#nick = nick;
  }

  /** `001`: the nick we got, and on most servers our mask at the end of the text. */
  welcomed(params: readonly string[]): void {
    this.#nick = params[0] ?? this.#nick;
    const mask = parseSource(/\S+!\S+@\S+$/.exec(params.at(-1) ?? "")?.[0] ?? "");
    this.#user = mask.user;
    this.#host = mask.host;
  }

  /** `004`: the server's software, and the user modes it has. */
  introduced([, , software = "", userModes = ""]: readonly string[]): void {
    this.#isInspircdWithDeaf = software.startsWith("InspIRCd") && userModes.includes("d");
  }

  /** The server has said what it has to say about itself. */
  settled(): void {
    this.#isupport = sharedIsupport(this.#isupport);
  }

  /** Takes note of a line; `own` says that it is about ourselves. */
  note({ verb, params, source }: IrcMessage, own: boolean, changes: StateChange[]): void {
    switch (verb) {
      case "JOIN":
        if (own) this.#joined(params[0] ?? "", source, changes);
        return;
      case "PART":
        if (own) this.#left(params[0] ?? "", changes);
        return;
      case "KICK":
        if (this.isOwn(params[1] ?? "")) this.#left(params[0] ?? "", changes);
        return;
      case "NICK":
        if (!own) return;
        this.#nick = params[0] ?? this.#nick;
        changes.push(this.change("ready"));
        return;
      case "CHGHOST":
        if (own) this.#address(params[0], params[1], changes);
        return;
      case "396": {
        const shown = params[1] ?? "";
        const at = shown.lastIndexOf("@");
        this.#address(at > 0 ? shown.slice(0, at) : undefined, shown.slice(at + 1), changes);
        return;
      }
      case "005":
        this.#isupport = new Isupport(this.#isupport.entries());
        this.#isupport.take(params);
        this.settled();
        changes.push(this.change("ready"));
    }
  }

  change(phase: ConnectionState["phase"]): StateChange {
    const state: ConnectionState = {
      role: this.role,
      phase,
      nick: this.#nick,
      user: this.#user,
      host: this.#host,
      capabilities: [...this.capabilities],
      isupport: this.#isupport,
      origin: this.origin,
    };
    return [BASE_KEY, encodeState(state)];
  }

  #joined(channel: string, source: string, changes: StateChange[]): void {
    const { user, host } = parseSource(source);
    if (user !== this.#user || host !== this.#host) this.#address(user, host, changes);
    const folded = this.fold(channel);
    this.channels.set(folded, channel);
    this.#came.set(folded, performance.now());
    changes.push([CHANNEL_KEY + folded, channel]);
  }

  #left(channel: string, changes: StateChange[]): void {
    const folded = this.fold(channel);
    this.channels.delete(folded);
    this.#came.delete(folded);
    changes.push([CHANNEL_KEY + folded, undefined]);
  }

  #address(user: string | undefined, host: string | undefined, changes: StateChange[]): void {
    this.#user = user ?? this.#user;
    this.#host = host || this.#host;
    changes.push(this.change("ready"));
  }
}
