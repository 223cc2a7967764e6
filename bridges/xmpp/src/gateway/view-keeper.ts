import type { Network, PowerNeeded, RemoteUserId, RoomId, RoomPerson, RoomView } from "@trestle/core";

/** What a room asks for of which nothing is known yet: what rooms are made with. */
const usualPower: PowerNeeded = { usual: 0, speak: 0, setTopic: 50, kick: 50, ban: 50, redact: 50, invite: 0 };

/** What is known of a Matrix room: read again when it is too old, once for all who wait for it. */
export class ViewKeeper {
  #view: RoomView | undefined;
  #people = new Map<RemoteUserId, RoomPerson>();
  #at = -Infinity;
  #reading: Promise<RoomView> | undefined;

  constructor(
    private readonly network: Network,
    /** The room; the first where there are several. */
    private readonly room: () => RoomId,
    private readonly changed: (view: RoomView) => void,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** What is known now; `undefined` before it was read. */
  get known(): RoomView | undefined {
    return this.#view;
  }

  get power(): PowerNeeded {
    return this.#view?.power ?? usualPower;
  }

  person(id: RemoteUserId): RoomPerson | undefined {
    return this.#people.get(id);
  }

  powerOf(id: RemoteUserId): number {
    return this.#people.get(id)?.power ?? this.power.usual;
  }

  /** Whether what is known is no older than this. */
  isFresh(milliseconds: number): boolean {
    return this.#view !== undefined && this.now() - this.#at <= milliseconds;
  }

  /**
   * Reads the room. Where that fails, what was known before counts; rejects with an `Error` where nothing was.
   */
  async read(): Promise<RoomView> {
    const reading = (this.#reading ??= this.network.lookAtRoom(this.room()));
    try {
      const view = await reading;
      if (this.#reading === reading) this.#take(view);
      return view;
    } catch (error) {
      if (!this.#view) throw error;
      this.network.log.warn(
        { err: error, room: this.room() },
        "A room could not be read; what was known of it is used",
      );
      return this.#view;
    } finally {
      if (this.#reading === reading) this.#reading = undefined;
    }
  }

  /** Something happened that it does not show. */
  outdate(): void {
    this.#at = -Infinity;
  }

  #take(view: RoomView): void {
    this.#view = view;
    this.#at = this.now();
    this.#people = new Map(view.people.map((person) => [person.id, person]));
    this.changed(view);
  }
}
