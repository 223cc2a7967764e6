import { describe, expect, it } from "@jest/globals";
import { LRUCache } from "lru-cache";
import { atMost } from "../../dist/mapping/cache-bound.js";

describe("the bound of a cache", () => {
  it("holds so many entries, and forgets the one that was not used for longest", () => {
    const cache = new LRUCache<string, number>(atMost(100));
    for (let n = 0; n < 100; n += 1) cache.set(`key${n}`, n);
    expect(cache.get("key0")).toBe(0);
    for (let n = 100; n < 150; n += 1) cache.set(`key${n}`, n);
    expect(cache.size).toBe(100);
    expect(cache.get("key0")).toBe(0);
    expect(cache.get("key50")).toBeUndefined();
    expect(cache.get("key51")).toBe(51);
  });

  it("counts an entry once that is set again, and none that was deleted", () => {
    const cache = new LRUCache<string, number>(atMost(2));
    for (let n = 0; n < 5; n += 1) cache.set("one", n);
    cache.set("two", 2);
    expect([...cache.keys()].sort()).toEqual(["one", "two"]);
    cache.delete("two");
    cache.set("three", 3);
    expect([...cache.keys()].sort()).toEqual(["one", "three"]);
  });
});
