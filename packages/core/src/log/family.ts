import type { Logger } from "./logger.js";

const firstLook = 256;

/** The loggers that were made of one, as long as somebody has them. */
export class LogFamily {
  #children: WeakRef<Logger>[] = [];
  #lookAt = firstLook;

  add(child: Logger): void {
    if (this.#children.length >= this.#lookAt) {
      // Whoever makes a logger for each message leaves many behind.
      this.#children = this.#children.filter((each) => each.deref() !== undefined);
      this.#lookAt = Math.max(firstLook, 2 * this.#children.length);
    }
    this.#children.push(new WeakRef(child));
  }

  setLevel(level: string): void {
    for (const child of this.#children) {
      const logger = child.deref();
      if (logger) logger.level = level;
    }
  }
}
