import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "@jest/globals";
import { findAtheme } from "./atheme.js";
import { findChromium } from "./chromium.js";
import { findEjabberd } from "./ejabberd.js";
import type { Found, Missing } from "./found.js";
import { findGoSendxmpp } from "./go-sendxmpp.js";
import { findInspircd } from "./inspircd.js";
import { findMosquitto } from "./mosquitto.js";
import { findNgircd } from "./ngircd.js";
import { findPostgresql } from "./postgresql.js";
import { findProfanity } from "./profanity.js";
import { findProsody } from "./prosody.js";
import { findSlixmpp } from "./slixmpp.js";
import { findSynapse } from "./synapse-install.js";

const finders = {
  synapse: findSynapse,
  inspircd: findInspircd,
  ngircd: findNgircd,
  atheme: findAtheme,
  mosquitto: findMosquitto,
  chromium: findChromium,
  postgresql: findPostgresql,
  prosody: findProsody,
  ejabberd: findEjabberd,
  slixmpp: findSlixmpp,
  "go-sendxmpp": findGoSendxmpp,
  profanity: findProfanity,
};

export type ServerName = keyof typeof finders;
export type Install<Name extends ServerName> = Extract<ReturnType<(typeof finders)[Name]>, Found<unknown>>["install"];
export type Installs<Name extends ServerName> = { readonly [Key in Name]: Install<Key> };

/** Tests that need one or more real servers. */
export interface RealServers<Installed> {
  /** Whether all of them are on this machine. */
  readonly present: boolean;
  /**
   * Like jest's `describe`. Where a server is missing the tests are skipped, the reason is printed, and the end of the run
   * names it; where `TRESTLE_REQUIRE_SERVERS` (names with commas) names a missing one, a failing test stands in their place.
   */
  describe(title: string, tests: (installed: Installed) => void): void;
}

/** Looks for one real server: `const inspircd = await realServer("inspircd"); inspircd.describe("…", (install) => …)`. */
export async function realServer<Name extends ServerName>(name: Name): Promise<RealServers<Install<Name>>> {
  const servers = await realServers(name);
  return {
    present: servers.present,
    describe: (title, tests) => servers.describe(title, (installs) => tests(installs[name])),
  };
}

/** Looks for several, all of which the tests need. */
export async function realServers<Name extends ServerName>(
  ...names: readonly Name[]
): Promise<RealServers<Installs<Name>>> {
  const looked = names.map((name) => ({ name, answer: look(name) }));
  const missing = looked.flatMap(({ name, answer }) => (answer.found ? [] : [{ name, answer }]));
  const present = missing.length === 0;
  return {
    present,
    describe(title, tests) {
      if (present) {
        describe(title, () =>
          tests(
            Object.fromEntries(
              looked.flatMap(({ name, answer }) => (answer.found ? [[name, answer.install]] : [])),
            ) as Installs<Name>,
          ),
        );
        return;
      }
      const needs = missing
        .map(({ name, answer }) => `${name}: ${answer.reason}. Install it with: ${answer.cure}`)
        .join("\n");
      const demanded = missing.filter(({ name }) => required().has(name));
      if (demanded.length > 0) {
        describe(title, () => {
          it("has the servers that TRESTLE_REQUIRE_SERVERS names", () => {
            throw new Error(`Missing on this machine:\n${needs}`);
          });
        });
        return;
      }
      process.stderr.write(`SKIPPED "${title}": this machine has no ${needs}\n`);
      describe.skip(title, () => {
        it(`needs ${missing.map(({ name }) => name).join(" and ")}`, () => undefined);
      });
    },
  };
}

const answers = new Map<ServerName, Found<unknown> | Missing>();

function look<Name extends ServerName>(name: Name): Found<Install<Name>> | Missing {
  const answer = answers.get(name) ?? finders[name]();
  if (!answers.has(name)) {
    answers.set(name, answer);
    record(name, answer);
  }
  return answer as Found<Install<Name>> | Missing;
}

function required(): ReadonlySet<string> {
  return new Set((process.env["TRESTLE_REQUIRE_SERVERS"] ?? "").split(",").map((name) => name.trim()));
}

/** For the closing lines of the run, which `servers-reporter.cjs` prints. */
function record(name: ServerName, answer: Found<unknown> | Missing): void {
  const directory = process.env["TRESTLE_SERVERS_RECORD"];
  if (directory === undefined) return;
  const line = answer.found ? { name, found: true, version: answer.version, where: answer.where } : { name, ...answer };
  appendFileSync(join(directory, `${process.pid}.ndjson`), `${JSON.stringify(line)}\n`);
}
