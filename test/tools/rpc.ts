import type { ChildProcess } from "node:child_process";
import { z } from "zod";

/** What a child process can be asked over its IPC channel. */
export type Api = Readonly<Record<string, { readonly input: z.ZodType; readonly output: z.ZodType }>>;
type Input<A extends Api, Name extends keyof A> = z.output<A[Name]["input"]>;
type Output<A extends Api, Name extends keyof A> = z.output<A[Name]["output"]>;
export type Handlers<A extends Api> = {
  readonly [Name in keyof A]: (input: Input<A, Name>) => Promise<Output<A, Name>> | Output<A, Name>;
};

const requestSchema = z.object({ id: z.int(), name: z.string(), input: z.unknown() });
const answerSchema = z.object({ id: z.int(), output: z.unknown().optional(), error: z.string().optional() });

/** Answers the parent process. The child exits when the parent is gone. */
export function serve<A extends Api>(api: A, handlers: Handlers<A>): void {
  const reply = (message: unknown): void => {
    process.send?.(message);
  };
  process.on("message", (message) => {
    const { id, name, input } = requestSchema.parse(message);
    const method = api[name];
    const handler = handlers[name];
    if (!method || !handler) {
      reply({ id, error: `There is no ${name}` });
      return;
    }
    Promise.resolve()
      .then(() => handler(method.input.parse(input) as Input<A, string>))
      .then(
        (output) => reply({ id, output }),
        (error: unknown) =>
          reply({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
      );
  });
  process.on("disconnect", () => process.exit(0));
  reply({ id: 0 });
}

/** The parent's end. */
export class RemoteProcess<A extends Api> {
  readonly #waiting = new Map<
    number,
    { readonly resolve: (output: unknown) => void; readonly reject: (error: Error) => void }
  >();
  #lastId = 0;
  /** Resolves when the child serves. */
  readonly ready: Promise<void>;

  constructor(
    readonly child: ChildProcess,
    private readonly api: A,
    private readonly name: string,
  ) {
    this.ready = new Promise((resolve, reject) => this.#waiting.set(0, { resolve: () => resolve(), reject }));
    this.ready.catch(() => undefined);
    child.on("message", (message) => this.#settle(message));
    child.on("exit", (code, signal) => this.#fail(`${name} ended (${signal ?? String(code)})`));
    child.on("error", (error) => this.#fail(`${name} could not be started: ${error.message}`));
  }

  async call<Name extends keyof A & string>(name: Name, input: z.input<A[Name]["input"]>): Promise<Output<A, Name>> {
    await this.ready;
    const id = ++this.#lastId;
    const output = await new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.child.send({ id, name, input }, (error) => {
        if (error) reject(error);
      });
    });
    const schema = this.api[name]?.output;
    if (!schema) throw new Error(`There is no ${name}`);
    return schema.parse(output) as Output<A, Name>;
  }

  /** Lets go of the child, which then ends, and waits until it is gone. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.child.once("exit", resolve));
    if (this.child.connected) this.child.disconnect();
    const timer = setTimeout(() => this.child.kill("SIGKILL"), 10_000);
    await gone;
    clearTimeout(timer);
  }

  #settle(message: unknown): void {
    const { id, output, error } = answerSchema.parse(message);
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(output);
    else waiting?.reject(new Error(`${this.name}: ${error}`));
  }

  #fail(reason: string): void {
    for (const { reject } of this.#waiting.values()) reject(new Error(reason));
    this.#waiting.clear();
  }
}
