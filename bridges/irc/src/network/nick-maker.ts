import { createHash } from "node:crypto";
import { cutToBytes } from "../wire/sanitise.js";
import { transliterate } from "./transliteration.js";

/** How many nicks are tried before the connection is given up for a while. */
const MAX_TRIES = 12;

/** The nicks one Matrix user may have, best first; never throws, whatever the name. */
export class NickMaker {
  #tries = 0;
  #plain = false;

  constructor(
    private readonly template: string,
    private readonly user: string,
    private name: string,
    private readonly length: () => number,
  ) {}

  rename(name: string): void {
    this.name = name;
    this.restart();
  }

  /** Begins again with the best nick. */
  restart(): void {
    this.#tries = 0;
    this.#plain = false;
  }

  /** The nick to ask for first. */
  first(): string {
    return this.#make("");
  }

  /** The one after a refusal: `invalid` says that no number behind it will help. */
  next(invalid: boolean): string | undefined {
    this.#tries++;
    if (this.#tries > MAX_TRIES) return undefined;
    if (invalid && this.#plain) return `m${this.#hash(7 + this.#tries).slice(0, 8)}`;
    if (invalid) {
      this.#plain = true;
      return this.#make("");
    }
    if (this.#tries <= 4) return this.#make(String(this.#tries + 1));
    return this.#make(`_${this.#hash(this.#tries)}`);
  }

  #make(suffix: string): string {
    const base = nickCharacters(this.name) || nickCharacters(this.user.replace(/^@|:.*$/g, "")) || `m${this.#hash(6)}`;
    const template = this.#plain ? "{name}" : this.template;
    const around = nickCharacters(template.replace("{name}", () => "")).length;
    const room = Math.max(1, (this.#plain ? Math.min(9, this.length()) : this.length()) - around - suffix.length);
    const nick = nickCharacters(template.replace("{name}", () => cutToBytes(base, room) + suffix));
    return /^[\d-]/.test(nick) ? cutToBytes(`_${nick}`, this.length()) : nick;
  }

  #hash(length: number): string {
    return createHash("sha256").update(this.user).digest("hex").slice(0, length);
  }
}

/** Leaves what RFC 2812 §2.3.1 allows in a nick. */
function nickCharacters(text: string): string {
  return transliterate(text).replace(/[^A-Za-z0-9[\]\\`_^{|}-]/g, "");
}
