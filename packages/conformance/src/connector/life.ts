import type { Services } from "@trestle/core";
import type { Gate } from "./gate.js";
import type { Abilities } from "./subject.js";

/** What a life of the bridge is given at each start. */
export interface LifeOptions {
  readonly directory: string;
  /** Where the homeserver looks for the bridge. Nobody else can have its port while the bridge is away. */
  readonly inward: Gate;
  readonly homeserverPort: number;
  /** Writes the configuration and resolves to its path. */
  writeConfig(places: {
    readonly listen: number;
    readonly homeserverUrl: string;
    readonly data: string;
  }): Promise<string>;
}

/** The bridge, over its starts and deaths. */
export interface BridgeLife {
  /** Resolves when the homeserver has let it in. */
  start(): Promise<void>;
  /** In good order, as an operator stops it. */
  stop(): Promise<void>;
  /** Dies where it stands. */
  crash(): Promise<void>;
  /** Ends everything that is left; nothing can be started after it. */
  end(): Promise<void>;
  /** @throws Error when it is not running */
  readonly services: Services;
  readonly abilities: Abilities;
  /** What went wrong by itself: an end that nobody asked for, an error that nobody caught. */
  readonly surprises: readonly string[];
  /** The last lines of its log, for a person who looks for a reason. */
  readonly log: readonly string[];
  /** Where its files are now. */
  readonly data: string;
}

/** The latest lines, each short enough to be read. */
export class LogTail {
  readonly lines: string[] = [];

  write(text: string): void {
    for (const line of text.split("\n")) {
      if (line === "") continue;
      this.lines.push(line.slice(0, 400));
      if (this.lines.length > 50) this.lines.shift();
    }
  }
}
