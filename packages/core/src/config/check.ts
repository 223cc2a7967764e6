import type { Config } from "./schema.js";
import type { Fault } from "./substitute.js";
import type { ProblemPath } from "./problem.js";

export interface ConfigRemark extends Fault {
  readonly severity: "error" | "warning";
}

/** What is wrong between keys that are each right. */
export function checkConfig(config: Config): ConfigRemark[] {
  return [
    ...checkNames(config),
    ...checkPorts(config),
    ...checkPermissions(config),
    ...checkTimes(config),
    ...checkHomeserver(config),
  ];
}

function wrong(path: ProblemPath, message: string): ConfigRemark {
  return { severity: "error", path, message };
}

function odd(path: ProblemPath, message: string): ConfigRemark {
  return { severity: "warning", path, message };
}

function checkNames(config: Config): ConfigRemark[] {
  const registrations = config.bridges.map((bridge) => bridge.registration.replace(/^\.\//, ""));
  return [
    ...repeated(
      config.bridges.map((bridge) => bridge.name),
      "name",
      "names must differ",
    ),
    ...repeated(registrations, "registration", "each bridge needs a registration of its own"),
    ...repeated(
      config.bridges.map((bridge) => bridge.commandPrefix ?? `!${bridge.name}`),
      "commandPrefix",
      "prefixes must differ",
    ),
    ...config.bridges.flatMap((bridge, index) => {
      const links = bridge.links.map((link) => JSON.stringify([link.room, link.channel]));
      return links.flatMap((link, at) =>
        links.indexOf(link) < at ? [wrong(["bridges", index, "links", at], "is the same link as one above")] : [],
      );
    }),
  ];
}

function repeated(values: readonly string[], key: string, rule: string): ConfigRemark[] {
  return values.flatMap((value, index) => {
    const first = values.indexOf(value);
    return first < index ? [wrong(["bridges", index, key], `${value} is also that of bridges[${first}]; ${rule}`)] : [];
  });
}

function checkPorts(config: Config): ConfigRemark[] {
  const listeners = (["listen", "operations", "media"] as const).filter((key) => config[key].port !== 0);
  return listeners.flatMap((key, index) => {
    const other = listeners
      .slice(0, index)
      .find((each) => config[each].port === config[key].port && meet(config[each].host, config[key].host));
    return other === undefined
      ? []
      : [wrong([key, "port"], `${config[key].port} is also the port of ${other}; they must differ`)];
  });
}

function meet(a: string, b: string): boolean {
  const any = ["0.0.0.0", "::"];
  return a === b || any.includes(a) || any.includes(b);
}

function checkPermissions(config: Config): ConfigRemark[] {
  const remarks = Object.keys(config.permissions).flatMap((who): ConfigRemark[] => {
    if (who === "*" || /^@[^:]+:.+$/.test(who) || /^[A-Za-z0-9.-]+(:\d+)?$/.test(who)) return [];
    return [
      wrong(
        ["permissions", who],
        `expected *, a server name such as ${config.homeserver.name}, or a user id such as @me:${config.homeserver.name}`,
      ),
    ];
  });
  const nobody = !Object.values(config.permissions).some((level) => level === "user" || level === "admin");
  return nobody
    ? [...remarks, odd(["permissions"], "nobody is user or admin, so rooms can be linked from the command line alone")]
    : remarks;
}

function checkTimes(config: Config): ConfigRemark[] {
  const { retryMin, retryMax } = config.delivery;
  return retryMin > retryMax
    ? [wrong(["delivery", "retryMin"], `must not be longer than retryMax (${retryMax} ms)`)]
    : [];
}

function checkHomeserver(config: Config): ConfigRemark[] {
  const { pathname, search } = new URL(config.homeserver.url);
  if (pathname.includes("/_matrix") || search !== "") {
    return [wrong(["homeserver", "url"], "must be the address alone, without /_matrix/…")];
  }
  return [];
}
