/** The newest entries of a map; the oldest give way. Cheaper than a cache that also orders by use. */
export class RecentMap<Value> {
  readonly #map = new Map<string, Value>();

  constructor(readonly max: number) {}

  get(key: string): Value | undefined {
    return this.#map.get(key);
  }

  set(key: string, value: Value): void {
    this.#map.set(key, value);
    if (this.#map.size <= this.max) return;
    for (const oldest of this.#map.keys()) {
      this.#map.delete(oldest);
      return;
    }
  }

  delete(key: string): void {
    this.#map.delete(key);
  }
}
