import { describe, expect, it } from "@jest/globals";
import { retry, refused, type Failure } from "@trestle/core";
import { CatchUp } from "../../dist/accounts/catch-up.js";
import type { Archive, ArchivePage, ArchivePlace } from "../../dist/rooms/archive.js";
import { Place } from "../../dist/rooms/place.js";
import { xml, type Element } from "../../dist/stream/index.js";
import { until } from "../../../../test/support/bounded.js";

const message = (id: string): Element => xml("message", { id });

/** An archive in memory, and what is taken of it and of what comes meanwhile. */
class Stage {
  readonly archived: string[] = [];
  readonly taken: string[] = [];
  readonly failures: string[] = [];
  readonly asked: ArchivePlace[] = [];
  answer: (() => Failure | "gone" | undefined) | undefined;
  /** Called before each page is given. */
  meanwhile: () => void = () => undefined;
  readonly stored = new Map<string, string>();
  readonly place: Place;
  readonly catchUp: CatchUp;

  constructor() {
    const storage = {
      get: async (key: string) => this.stored.get(key),
      set: async (key: string, value: string) => void this.stored.set(key, value),
      delete: async (key: string) => void this.stored.delete(key),
      keys: async () => [...this.stored.keys()],
    };
    this.place = new Place(storage, "place", false, 60_000);
    this.catchUp = new CatchUp({
      archive: { page: (_: string, place: ArchivePlace) => this.#page(place) } as unknown as Archive,
      place: this.place,
      address: () => "alice@localhost/test",
      take: async (stanza) => void this.taken.push(stanza.attrs["id"] ?? ""),
      failed: (reason) => this.failures.push(reason),
    });
  }

  async read(): Promise<void> {
    this.catchUp.begin();
    await until(10_000, "the archive to be read", () => (this.catchUp.isUpToDate ? true : undefined));
  }

  async #page(place: ArchivePlace): Promise<ArchivePage | "gone" | Failure> {
    this.asked.push(place);
    const answer = this.answer?.();
    if (answer !== undefined) return answer;
    this.meanwhile();
    const start = place.after === undefined ? 0 : this.archived.indexOf(place.after) + 1;
    const most = place.most ?? 3;
    const ids = place.before === "" ? this.archived.slice(-most) : this.archived.slice(start, start + most);
    const items = ids.map((id) => ({ id, at: 1, message: message(id) }));
    return { items, complete: ids.at(-1) === this.archived.at(-1) };
  }
}

describe("catching up with an account's archive", () => {
  it("begins at its end, and then takes page by page what is new", async () => {
    const stage = new Stage();
    stage.archived.push("old 1", "old 2");
    await stage.read();
    expect(stage.taken).toEqual([]);
    stage.catchUp.lost();
    const news = Array.from({ length: 8 }, (_, index) => `new ${index}`);
    stage.archived.push(...news);
    await stage.read();
    expect(stage.taken).toEqual(news);
  });

  it("holds what comes meanwhile behind what was missed", async () => {
    const stage = new Stage();
    await stage.read();
    stage.catchUp.lost();
    stage.archived.push("missed 1", "missed 2");
    let done: Promise<void> | undefined;
    stage.meanwhile = () => {
      done ??= stage.catchUp.hear(message("now"));
    };
    await stage.read();
    await done;
    expect(stage.taken).toEqual(["missed 1", "missed 2", "now"]);
  });

  it("reads once more where more came meanwhile than it holds", async () => {
    const stage = new Stage();
    await stage.read();
    stage.catchUp.lost();
    const flood = Array.from({ length: 1_500 }, (_, index) => `flood ${index}`);
    let flooded = false;
    stage.meanwhile = () => {
      if (flooded) return;
      flooded = true;
      stage.archived.push(...flood);
      for (const id of flood) void stage.catchUp.hear(message(id));
    };
    await stage.read();
    expect(new Set(stage.taken)).toEqual(new Set(flood));
    // What comes twice is known by its id to whoever takes it; the first time it comes in order.
    expect([...new Set(stage.taken)]).toEqual(flood);
  });

  it("goes by the time where the archive was emptied", async () => {
    const stage = new Stage();
    stage.archived.push("old");
    await stage.read();
    stage.catchUp.lost();
    stage.archived.splice(0, 1, "new");
    let gone = true;
    stage.answer = () => (gone ? ((gone = false), "gone") : undefined);
    await stage.read();
    expect(stage.asked.at(-1)).toHaveProperty("start");
    expect(stage.taken).toEqual(["new"]);
  });

  it("lets nothing pass where it cannot be read now, and has the connection opened anew", async () => {
    const stage = new Stage();
    await stage.read();
    stage.catchUp.lost();
    stage.answer = () => retry("busy");
    stage.catchUp.begin();
    const held = stage.catchUp.hear(message("now"));
    await until(10_000, "a failure", () => (stage.failures.length > 0 ? true : undefined));
    expect(stage.failures).toEqual(["busy"]);
    expect(stage.taken).toEqual([]);
    expect(held).toBeInstanceOf(Promise);
  });

  it("takes what comes where there is no archive", async () => {
    const stage = new Stage();
    stage.answer = () => refused("there is none");
    stage.catchUp.begin();
    const held = stage.catchUp.hear(message("held"));
    await held;
    await stage.catchUp.hear(message("now"));
    expect(stage.taken).toEqual(["held", "now"]);
    expect(stage.catchUp.hasArchive).toBe(false);
  });
});
