import type { Credentials, NetworkFake, NetworkSetting, SayOptions, Seen, SharedFile } from "@trestle/conformance";

export type SeenOf = Seen;

export interface Said {
  readonly id: string;
  readonly person: string;
  readonly text: string;
  readonly emote: boolean;
  readonly file?: SharedFile;
}

export type Happening =
  | ({ readonly kind: "said"; readonly bridge: boolean } & Said)
  | {
      readonly kind: "edited";
      readonly id: string;
      readonly person: string;
      readonly target: string;
      readonly text: string;
    }
  | { readonly kind: "removed"; readonly id: string; readonly person: string; readonly target: string }
  | {
      readonly kind: "reacted" | "unreacted";
      readonly id: string;
      readonly person: string;
      readonly target: string;
      readonly key: string;
    }
  | {
      readonly kind: "topic";
      readonly id: string;
      readonly person: string;
      readonly text: string;
      readonly bridge: boolean;
    }
  | {
      readonly kind: "picture";
      readonly id: string;
      readonly person: string;
      readonly image: Uint8Array;
      readonly bridge: boolean;
    };

/** A session of the bridge: gets what happens, and answers when it has it. */
export interface Listener {
  take(channel: string, happening: Happening): Promise<void>;
  typing(channel: string, person: string, isTyping: boolean): void;
  lost(): void;
  back(): void;
}

export interface Visit {
  act(channel: string, effect: string, done: (id: string) => Seen): Promise<string>;
  /** The id under which the network has an effect. */
  find(channel: string, effect: string): Promise<string | undefined>;
  /** Shows who is typing now. */
  type(channel: string, names: readonly string[]): void;
  /** Shows a message as read. */
  read(channel: string, id: string): void;
}

export class Unavailable extends Error {
  override readonly name = "Unavailable";
}

export class Refused extends Error {
  override readonly name = "Refused";
}

interface Room {
  readonly seen: Seen[];
  /** What the bridge has not acknowledged yet, in order. */
  readonly waiting: Happening[];
  readonly history: Happening[];
  readonly byEffect: Map<string, string>;
  /** Who is typing on the other side of the bridge. */
  typing: readonly string[];
  /** Up to where it was read there. */
  read: string | undefined;
  refused: boolean;
  stalled: Promise<void> | undefined;
  pumping: boolean;
}

const longest = 500;

/** A chat network in this process that keeps for the bridge what it has not acknowledged. */
export class Parlour implements NetworkFake {
  readonly people = ["Ann", "ann", "b[o]b ÜÖ 🙂"] as const;
  readonly remembers = true;
  readonly credentials: Credentials = {
    right: ["ann", "hunter2-secret"],
    wrong: ["ann", "wrong"],
    secret: "hunter2-secret",
    account: "ann",
  };
  #rooms = new Map<string, Room>();
  #violations: string[] = [];
  #listener: Listener | undefined;
  #up = true;
  #ids = 0;
  #deaths = 0;
  /** Milliseconds (at random up to this many) that the network takes for anything. */
  latencyMs = 3;

  start(): Promise<NetworkSetting> {
    this.#rooms = new Map();
    this.#violations = [];
    this.#listener = undefined;
    this.#up = true;
    return Promise.resolve({ config: {}, channels: ["hall", "garden"] });
  }

  stop(): Promise<void> {
    this.#listener = undefined;
    return Promise.resolve();
  }

  // What the suite does

  async say(channel: string, person: string, text: string, options: SayOptions = {}): Promise<string> {
    const id = this.#id();
    await this.#happen(channel, { kind: "said", id, person, text, emote: options.emote ?? false, bridge: false });
    return id;
  }

  async share(channel: string, person: string, file: SharedFile): Promise<string> {
    const id = this.#id();
    await this.#happen(channel, { kind: "said", id, person, text: file.name, emote: false, bridge: false, file });
    return id;
  }

  edit(channel: string, person: string, target: string, text: string): Promise<void> {
    return this.#happen(channel, { kind: "edited", id: this.#id(), person, target, text });
  }

  remove(channel: string, person: string, target: string): Promise<void> {
    return this.#happen(channel, { kind: "removed", id: this.#id(), person, target });
  }

  react(channel: string, person: string, target: string, key: string): Promise<void> {
    return this.#happen(channel, { kind: "reacted", id: this.#id(), person, target, key });
  }

  unreact(channel: string, person: string, target: string, key: string): Promise<void> {
    return this.#happen(channel, { kind: "unreacted", id: this.#id(), person, target, key });
  }

  setTopic(channel: string, person: string, text: string): Promise<void> {
    return this.#happen(channel, { kind: "topic", id: this.#id(), person, text, bridge: false });
  }

  setPicture(channel: string, person: string, image: Uint8Array): Promise<void> {
    return this.#happen(channel, { kind: "picture", id: this.#id(), person, image, bridge: false });
  }

  type(channel: string, person: string, isTyping: boolean): Promise<void> {
    this.#listener?.typing(channel, person, isTyping);
    return Promise.resolve();
  }

  seesTyping(channel: string): boolean {
    return this.#room(channel).typing.length > 0;
  }

  seesRead(channel: string): string | undefined {
    return this.#room(channel).read;
  }

  replay(channel: string): Promise<void> {
    const room = this.#room(channel);
    room.waiting.push(...room.history.filter(({ kind }) => kind === "said"));
    this.#pump(channel);
    return Promise.resolve();
  }

  seen(channel: string): readonly Seen[] {
    return this.#room(channel).seen;
  }

  disconnect(): Promise<void> {
    this.#up = false;
    this.#listener?.lost();
    return Promise.resolve();
  }

  reconnect(): Promise<void> {
    this.#up = true;
    this.#listener?.back();
    for (const channel of this.#rooms.keys()) this.#pump(channel);
    return Promise.resolve();
  }

  stall(channel: string): () => void {
    let release = (): void => undefined;
    this.#room(channel).stalled = new Promise((resolve) => (release = resolve));
    return () => {
      this.#room(channel).stalled = undefined;
      release();
    };
  }

  refuse(channel: string): Promise<() => void> {
    const room = this.#room(channel);
    room.refused = true;
    return Promise.resolve(() => void (room.refused = false));
  }

  crashed(): void {
    this.#deaths += 1;
    this.#listener = undefined;
  }

  connected(): boolean {
    return this.#listener !== undefined;
  }

  violations(): readonly string[] {
    return this.#violations;
  }

  // What the bridge does

  get up(): boolean {
    return this.#up;
  }

  enter(listener: Listener): void {
    this.#listener = listener;
    if (this.#up) listener.back();
    for (const channel of this.#rooms.keys()) this.#pump(channel);
  }

  leave(listener: Listener): void {
    if (this.#listener === listener) this.#listener = undefined;
  }

  /** A visit of the bridge, through which it acts until it dies. */
  visit(): Visit {
    const life = this.#deaths;
    const alive = (): void => {
      if (this.#deaths !== life) throw new Unavailable("whoever speaks is dead");
    };
    return {
      act: (channel, effect, done) => this.#act(channel, effect, done, alive),
      find: (channel, effect) => this.#find(channel, effect),
      type: (channel, names) => void (this.#room(channel).typing = names),
      read: (channel, id) => void (this.#room(channel).read = id),
    };
  }

  /** Does one thing of the bridge's; resolves when the network answers. */
  async #act(channel: string, effect: string, done: (id: string) => Seen, alive: () => void): Promise<string> {
    await this.#pause();
    alive();
    const room = this.#room(channel);
    if (!this.#up) throw new Unavailable("the parlour is closed");
    if (room.refused) throw new Refused("the bridge is banned from this channel");
    const id = this.#id();
    const seen = done(id);
    if ("text" in seen && Buffer.byteLength(seen.text) > longest)
      this.#violations.push(`a text of ${Buffer.byteLength(seen.text)} bytes; ${longest} are allowed`);
    // eslint-disable-next-line no-control-regex -- what this network does not allow
    if ("text" in seen && /[\u0000\r]/.test(seen.text))
      this.#violations.push(`a control character in ${JSON.stringify(seen.text.slice(0, 60))}`);
    room.seen.push(seen);
    room.byEffect.set(effect, id);
    if (seen.kind === "message")
      await this.#happen(channel, {
        kind: "said",
        id,
        person: seen.by ?? "the bridge",
        text: seen.text,
        emote: false,
        bridge: true,
      });
    if (seen.kind === "topic")
      await this.#happen(channel, { kind: "topic", id, person: "the bridge", text: seen.text, bridge: true });
    if (seen.kind === "picture")
      await this.#happen(channel, { kind: "picture", id, person: "the bridge", image: seen.image, bridge: true });
    await room.stalled;
    return id;
  }

  /** The id under which the network has an effect of the bridge's. */
  async #find(channel: string, effect: string): Promise<string | undefined> {
    await this.#pause();
    if (!this.#up) throw new Unavailable("the parlour is closed");
    const room = this.#room(channel);
    await room.stalled;
    return room.byEffect.get(effect);
  }

  signIn(name: string, password: string): boolean {
    return `${name} ${password}` === this.credentials.right.join(" ");
  }

  #happen(channel: string, happening: Happening): Promise<void> {
    const room = this.#room(channel);
    room.history.push(happening);
    room.waiting.push(happening);
    this.#pump(channel);
    return Promise.resolve();
  }

  /** Hands on what happened, one after the other; what is not acknowledged stays. */
  #pump(channel: string): void {
    const room = this.#room(channel);
    if (room.pumping) return;
    room.pumping = true;
    void (async () => {
      try {
        for (let next = room.waiting[0]; next && this.#up && this.#listener; next = room.waiting[0]) {
          const listener = this.#listener;
          const acknowledged = await Promise.race([
            listener.take(channel, next).then(
              () => true,
              () => false,
            ),
            this.#gone(listener),
          ]);
          if (acknowledged) room.waiting.shift();
        }
      } finally {
        room.pumping = false;
      }
    })();
  }

  /** Resolves to `false` once that listener is gone. */
  async #gone(listener: Listener): Promise<boolean> {
    while (this.#listener === listener && this.#up) await new Promise((resolve) => setTimeout(resolve, 2));
    return false;
  }

  async #pause(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * this.latencyMs));
  }

  #id(): string {
    return `n${++this.#ids}`;
  }

  #room(channel: string): Room {
    let room = this.#rooms.get(channel);
    if (!room) {
      room = {
        seen: [],
        waiting: [],
        history: [],
        byEffect: new Map(),
        typing: [],
        read: undefined,
        refused: false,
        stalled: undefined,
        pumping: false,
      };
      this.#rooms.set(channel, room);
    }
    return room;
  }
}
