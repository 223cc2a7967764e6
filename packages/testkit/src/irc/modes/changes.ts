/** The changes that took effect, as they are told: `+o-v alice bob`. */
export class Changes {
  #text = "";
  #sign = "";
  readonly #params: string[] = [];

  add(on: boolean, letter: string, parameter?: string): void {
    const sign = on ? "+" : "-";
    if (sign !== this.#sign) this.#text += sign;
    this.#sign = sign;
    this.#text += letter;
    if (parameter !== undefined) this.#params.push(parameter);
  }

  get some(): boolean {
    return this.#text !== "";
  }

  get words(): string[] {
    return [this.#text, ...this.#params];
  }
}

/** The letters of `+o-v`, each with its sign. */
export function* letters(text: string): Generator<{ on: boolean; letter: string }> {
  let on = true;
  for (const letter of text) {
    if (letter === "+" || letter === "-") on = letter === "+";
    else yield { on, letter };
  }
}
