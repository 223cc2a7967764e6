import type { Fault } from "../config/substitute.js";
import type { ProblemPath } from "../config/problem.js";
import type { RegistrationDocument } from "./registration-file.js";
import { ghostPrefixOf } from "./registration.js";
import { compileNamespace, escapeRegex, inspectRegex, localpartCharacters } from "./registration-regex.js";
import type { NamespaceKind } from "./registration-regex.js";

export interface Remark extends Fault {
  readonly severity: "error" | "warning";
}

const namespaceKinds: readonly NamespaceKind[] = ["users", "aliases", "rooms"];
const shortToken = 24;

/** Everything that is wrong with one registration that has the right keys and types. */
export function checkRegistration(document: RegistrationDocument, serverName: string): Remark[] {
  const namespaces = checkNamespaces(document, serverName);
  return [
    ...checkId(document.id),
    ...checkUrl(document.url),
    ...checkTokens(document),
    ...checkSender(document.sender_localpart, serverName),
    ...namespaces,
    ...(namespaces.some((each) => each.severity === "error") ? [] : checkGhostPrefix(document, serverName)),
    ...checkDelivery(document),
  ];
}

function problem(severity: Remark["severity"], path: ProblemPath, message: string): Remark {
  return { severity, path, message };
}

function checkId(id: string): Remark[] {
  return id.includes("|")
    ? [problem("error", ["id"], "contains |, which Synapse refuses; use letters, digits, - and _")]
    : [];
}

function checkUrl(url: string | null): Remark[] {
  const path = ["url"];
  if (url === null) {
    return [
      problem(
        "error",
        path,
        "is null, so the homeserver would send nothing; give the address of Trestle, e.g. http://localhost:9993",
      ),
    ];
  }
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(url)) {
    return [problem("error", path, `${JSON.stringify(url)} has no scheme; write http:// (or https://) in front`)];
  }
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) {
    return [
      problem(
        "error",
        path,
        `${JSON.stringify(url)} is not an address Trestle can be reached at; expected e.g. http://localhost:9993`,
      ),
    ];
  }
  const { pathname, search, hash } = new URL(url);
  if (pathname.startsWith("/_matrix") || search !== "" || hash !== "") {
    return [problem("error", path, "must be the address alone: the homeserver adds /_matrix/app/v1/… itself")];
  }
  return url.endsWith("/")
    ? [problem("warning", path, "ends with a slash, which makes some homeservers ask for //_matrix/…; remove it")]
    : [];
}

function checkTokens(document: RegistrationDocument): Remark[] {
  const remarks = (["as_token", "hs_token"] as const).flatMap((key): Remark[] => {
    const token = document[key];
    if (token.trim() === "") return [problem("error", [key], "is empty; make one with: trestle registration generate")];
    if (/change.?me|replace.?me/i.test(token)) {
      return [
        problem(
          "error",
          [key],
          "is still the placeholder of the template; put a random secret there, e.g. from: openssl rand -hex 32",
        ),
      ];
    }
    if (!/^[\x21-\x7e]+$/.test(token)) {
      return [problem("error", [key], "has a character that cannot stand in an HTTP header; use letters and digits")];
    }
    if (token.length < shortToken) {
      return [
        problem(
          "warning",
          [key],
          `has only ${token.length} characters and may be guessed; use ${shortToken} or more random ones`,
        ),
      ];
    }
    return [];
  });
  if (document.as_token !== document.hs_token || document.as_token === "") return remarks;
  return [...remarks, problem("error", ["hs_token"], "is the same as as_token; they must be two different secrets")];
}

function checkSender(localpart: string, serverName: string): Remark[] {
  const path = ["sender_localpart"];
  if (localpart.startsWith("@") || localpart.includes(":")) {
    return [problem("error", path, "must be the part between @ and : of the bot's user id, alone")];
  }
  if (!localpartCharacters.test(localpart)) {
    return [problem("error", path, "may have only a-z 0-9 . _ - and / in it")];
  }
  if (/[=+]/.test(localpart))
    return [problem("error", path, "has = or + in it, which Synapse refuses here; use a-z 0-9 . _ - and /")];
  if (Buffer.byteLength(`@${localpart}:${serverName}`) > 255)
    return [problem("error", path, "makes a user id of more than 255 bytes")];
  return [];
}

function checkNamespaces(document: RegistrationDocument, serverName: string): Remark[] {
  return namespaceKinds.flatMap((kind) =>
    (document.namespaces[kind] ?? []).flatMap((entry, index) =>
      inspectRegex(entry.regex, kind, serverName).map((remark) =>
        problem(
          remark.severity,
          ["namespaces", kind, index, "regex"],
          `${JSON.stringify(entry.regex)} ${remark.message}`,
        ),
      ),
    ),
  );
}

function checkGhostPrefix(document: RegistrationDocument, serverName: string): Remark[] {
  const path = ["namespaces", "users"];
  const prefix = ghostPrefixOf(document);
  if (!prefix.ok) return [problem("error", path, prefix.message)];
  const place = document["trestle.ghost_prefix"] === undefined ? path : ["trestle.ghost_prefix"];
  if (prefix.value === "")
    return [problem("error", place, "claims every user of the homeserver; give ghosts a prefix such as irc_")];
  if (!localpartCharacters.test(prefix.value)) {
    return [
      problem(
        "error",
        place,
        `the prefix of ghosts, ${JSON.stringify(prefix.value)}, may have only a-z 0-9 . _ = - / + in it`,
      ),
    ];
  }
  const users = (document.namespaces.users ?? []).map((entry) => compileNamespace(entry.regex));
  if (!users.some((regex) => regex.test(`@${prefix.value}someone:${serverName}`))) {
    const wanted = `^@${escapeRegex(prefix.value)}.*:${escapeRegex(serverName)}$`;
    return [
      problem(
        "error",
        place,
        `no user namespace holds ghosts that begin with ${prefix.value}; expected one such as ${wanted}`,
      ),
    ];
  }
  if (document.sender_localpart.startsWith(prefix.value)) {
    return [
      problem(
        "error",
        ["sender_localpart"],
        `begins like a ghost (${prefix.value}): a person on the network could be taken for the bot; choose e.g. ${prefix.value.replace(/[^a-z0-9]+$/, "")}bot`,
      ),
    ];
  }
  return [];
}

function checkDelivery(document: RegistrationDocument): Remark[] {
  const remarks: Remark[] = [];
  if (document.receive_ephemeral !== true && document["de.sorunome.msc2409.push_ephemeral"] !== true) {
    remarks.push(
      problem(
        "warning",
        ["receive_ephemeral"],
        "is not on: typing and read receipts do not reach the network; add receive_ephemeral: true and de.sorunome.msc2409.push_ephemeral: true",
      ),
    );
  }
  if (document.rate_limited !== false) {
    remarks.push(
      problem(
        "warning",
        ["rate_limited"],
        `is ${document.rate_limited === true ? "on" : "absent (which means true)"}: the homeserver slows ghosts down to one message in some seconds; write rate_limited: false`,
      ),
    );
  }
  return remarks;
}
