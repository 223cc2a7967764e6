import { createHash } from "node:crypto";
import { cutToBytes } from "../../wire/sanitise.js";
import { transliterate } from "./transliteration.js";

/** How many nicks are tried before the connection is given up for a while. */
const MAX_TRIES = 12;

/** RFC 1459 §1.2: what every server takes. */
const PLAIN_LENGTH = 9;
const LEAST_NAME = 3;

/** The nicks one Matrix user may have, best first; never throws, whatever the name. */
export class NickMaker {
  #tries = 0;
  #plain = false;
  /** What `first` said last, and of what length: it is asked for with every line that is heard. */
  #first: { readonly length: number; readonly nick: string } | undefined;

  constructor(
    private readonly template: string,
    private readonly user: string,
    private name: string,
    private readonly length: () => number,
    /** What the user has chosen to be called. */
    private readonly chosen: () => string | undefined = () => undefined,
  ) {}

  rename(name: string): void {
    this.name = name;
    this.restart();
  }

  /** Begins again with the best nick. */
  restart(): void {
    this.#tries = 0;
    this.#plain = false;
    this.#first = undefined;
  }

  /** The nick to ask for first. */
  first(): string {
    const length = this.length();
    if (this.#first?.length !== length) this.#first = { length, nick: this.#make("") };
    return this.#first.nick;
  }

  /** The one after a refusal: `invalid` says that no number behind it will help. */
  next(invalid: boolean): string | undefined {
    this.#tries++;
    if (this.#tries > MAX_TRIES) return undefined;
    if (invalid && this.#plain)
      return `m${this.#hash(64)
        .slice(this.#tries * 4)
        .slice(0, 7)}`;
    if (invalid) {
      this.#plain = true;
      this.#first = undefined;
      return this.#make("");
    }
    if (this.#tries <= 4) return this.#make(String(this.#tries + 1));
    return this.#make(
      `_${this.#hash(64)
        .slice(this.#tries * 4)
        .slice(0, 4)}`,
    );
  }

  #make(suffix: string): string {
    const chosen = this.chosen();
    const base = chosen ?? this.#base();
    const length = this.#plain ? Math.min(PLAIN_LENGTH, this.length()) : this.length();
    const isBare = this.#plain || chosen !== undefined;
    const around = isBare ? 0 : nickCharacters(this.template.replace("{name}", () => "")).length;
    // A template that leaves the name no room is left out.
    const template = isBare || around + suffix.length + LEAST_NAME > length ? "{name}" : this.template;
    const room = length - suffix.length - (template === this.template ? around : 0);
    const nick = nickCharacters(template.replace("{name}", () => cutToBytes(base, room) + suffix));
    return /^[\d-]/.test(nick) ? `_${cutToBytes(nick, length - 1)}` : nick;
  }

  #base(): string {
    return nickCharacters(this.name) || nickCharacters(this.user.replace(/^@|:.*$/gs, "")) || `m${this.#hash(6)}`;
  }

  #hash(length: number): string {
    return createHash("sha256").update(this.user).digest("hex").slice(0, length);
  }
}

/** Whether RFC 2812 §2.3.1 takes it for a nick, but for its length, which is the server's business. */
export function isPlainNick(text: string): boolean {
  return text !== "" && nickCharacters(text) === text && !/^[\d-]/.test(text);
}

/** Leaves what RFC 2812 §2.3.1 allows in a nick. */
export function nickCharacters(text: string): string {
  return transliterate(text).replace(/[^A-Za-z0-9[\]\\`_^{|}-]/g, "");
}
