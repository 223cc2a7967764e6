import type { Homeserver } from "@trestle/testkit";
import type { CheckTitle, Level } from "../report/report.js";
import type { Probe } from "./probe.js";
import { sections, type Section } from "./sections.js";

export interface Scene {
  readonly probe: Probe;
  /** The homeserver that the service talks to, where it is the test kit's. */
  readonly homeserver: Homeserver | undefined;
  /** Starts the service anew; resolves when the command has ended. */
  readonly restart: (() => Promise<void>) | undefined;
  readonly note: (text: string) => void;
}

export interface ServiceCheck extends CheckTitle {
  readonly section: Section;
  readonly run: (scene: Scene) => Promise<void>;
}

export function check(
  section: Section,
  name: string,
  level: Level,
  title: string,
  run: ServiceCheck["run"],
): ServiceCheck {
  return { id: `${section}.${name}`, section, group: sections[section].name, title, level, run };
}
