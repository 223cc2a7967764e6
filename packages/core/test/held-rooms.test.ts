import { describe, expect, it } from "@jest/globals";
import { HeldRooms } from "../dist/bridge/held-rooms.js";
import type { BridgeRuntime } from "../dist/bridge/runtime.js";

describe("a room whose events are held", () => {
  /** Its disk is read when `read` is called, and shows nothing that waits. */
  function held(): { rooms: HeldRooms; read: () => void } {
    let read: () => void = () => undefined;
    const store = {
      commit: () => new Promise<readonly number[]>((resolve) => (read = () => resolve([0]))),
      get: () => Promise.resolve(undefined),
    };
    return { rooms: new HeldRooms({ store, key: 1 } as unknown as BridgeRuntime), read: () => read() };
  }

  it("stays held by an event that came, and reached the disk, while the disk was asked whether any waits", async () => {
    const { rooms, read } = held();
    rooms.arrive("!a");
    rooms.arrived("!a");
    const released = rooms.release("!a");
    rooms.arrive("!a");
    rooms.arrived("!a");
    read();
    await released;
    expect(rooms.has("!a")).toBe(true);
  });

  it("goes when nothing of it waits, whatever comes in other rooms", async () => {
    const { rooms, read } = held();
    rooms.arrive("!a");
    rooms.arrived("!a");
    const released = rooms.release("!a");
    rooms.arrive("!b");
    rooms.arrived("!b");
    read();
    await released;
    expect(rooms.has("!a")).toBe(false);
    expect(rooms.has("!b")).toBe(true);
  });
});
