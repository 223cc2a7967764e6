import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { dump, load } from "js-yaml";
import { formatRegistration, generateRegistration, parseRegistration } from "../dist/appservice/registration-index.js";
import type { Registration } from "../dist/appservice/registration-index.js";

const settings = { seed: 20260722, numRuns: 300 };
const server = "example.org";

const good = {
  id: "irc",
  url: "http://localhost:9993",
  as_token: "a".repeat(40),
  hs_token: "b".repeat(40),
  sender_localpart: "ircbot",
  rate_limited: false,
  receive_ephemeral: true,
  namespaces: {
    users: [{ exclusive: true, regex: "^@irc_.*:example\\.org$" }],
    aliases: [{ exclusive: true, regex: "^#irc_.*:example\\.org$" }],
  },
};

function parse(changes: Record<string, unknown> = {}, serverName = server) {
  // JSON leaves out what is undefined.
  const document: unknown = JSON.parse(JSON.stringify({ ...good, ...changes }));
  return parseRegistration(dump(document), "r.yaml", serverName);
}

function registration(changes: Record<string, unknown> = {}): Registration {
  const { registration: found, problems } = parse(changes);
  expect(problems.filter((each) => each.severity === "error")).toEqual([]);
  return found!;
}

const users = (...regexes: string[]) => ({
  namespaces: { users: regexes.map((regex) => ({ exclusive: true, regex })) },
});

describe("a registration", () => {
  it("says who is its own", () => {
    const own = registration();
    expect(own.bot).toBe("@ircbot:example.org");
    expect(own.ghostPrefix).toBe("irc_");
    expect(own.aliasPrefix).toBe("irc_");
    expect(own.userId("x")).toBe("@x:example.org");
    expect(
      ["@irc_a:example.org", "@irc_:example.org", "@ircbot:example.org"].filter((id) => own.isOwnUser(id)),
    ).toHaveLength(3);
    const others = [
      "@irc_a:example.com",
      "@irc_a:example.org.evil",
      "@xirc_a:example.org",
      "@irc_a:exampleXorg",
      "@ircbot:example.com",
      "irc_a",
      "",
      "@irc_a\n:example.org",
    ];
    expect(others.filter((id) => own.isOwnUser(id))).toEqual([]);
    expect(own.isOwnAlias("#irc_#a:example.org")).toBe(true);
    expect(own.isOwnAlias("#irc_a:example.com")).toBe(false);
    expect(own.isOwnAlias("@irc_a:example.org")).toBe(false);
  });

  it("does not take users of other servers even where its regex is loose", () => {
    const loose = registration(users("@irc_.*:example.org"));
    expect(loose.isOwnUser("@irc_a:example.org.evil.com")).toBe(false);
    expect(loose.isOwnUser("@irc_a:exampleXorg")).toBe(false);
  });

  it.each([
    ["^@irc_.*:example\\.org$", "irc_"],
    ["@irc_.+:example\\.org", "irc_"],
    ["^@_xmpp\\.[a-z0-9=_./-]*:example\\.org$", "_xmpp."],
    ["^@irc[.]net/(.*):example\\.org$", "irc.net/"],
    ["^@slack\\-(?:.+):example\\.org$", "slack-"],
  ])("derives the ghost prefix of %s", (regex, prefix) => {
    expect(registration(users(regex)).ghostPrefix).toBe(prefix);
  });

  it("takes the ghost prefix from trestle.ghost_prefix where the regex is of another shape", () => {
    const regex = "^@(?:irc|IRC)_.*:example\\.org$";
    expect(parse(users(regex)).problems.map((each) => each.message)).toContainEqual(
      expect.stringContaining("trestle.ghost_prefix"),
    );
    expect(registration({ ...users(regex), "trestle.ghost_prefix": "irc_" }).ghostPrefix).toBe("irc_");
  });
});

describe("a registration that is wrong", () => {
  it.each<[string, Record<string, unknown>, string, RegExp]>([
    ["no url key", { url: undefined }, "url", /is missing: expected text \(where the homeserver reaches Trestle/],
    ["url null", { url: null }, "url", /is null, so the homeserver would send nothing/],
    ["url without scheme", { url: "localhost:9993" }, "url", /"localhost:9993" has no scheme; write http:\/\//],
    ["url of a socket", { url: "unix:///run/trestle" }, "url", /is not an address Trestle can be reached at/],
    ["url with the API's path", { url: "http://localhost:9993/_matrix/app/v1" }, "url", /must be the address alone/],
    ["| in id", { id: "irc|net" }, "id", /contains \|, which Synapse refuses/],
    ["no as_token", { as_token: undefined }, "as_token", /is missing: expected text/],
    ["an empty hs_token", { hs_token: "" }, "hs_token", /is empty; make one with: trestle registration generate/],
    ["a number as token", { as_token: 12345 }, "as_token", /expected text, found the number 12345/],
    ["equal tokens", { hs_token: good.as_token }, "hs_token", /is the same as as_token/],
    ["the template's token", { as_token: "CHANGE_ME_as_token_CHANGE_ME" }, "as_token", /still the placeholder/],
    ["a token with a space", { as_token: `${"a".repeat(30)} b` }, "as_token", /cannot stand in an HTTP header/],
    [
      "a whole user id as sender",
      { sender_localpart: "@ircbot:example.org" },
      "sender_localpart",
      /the part between @ and :/,
    ],
    ["capitals in sender", { sender_localpart: "IrcBot" }, "sender_localpart", /may have only a-z 0-9/],
    [
      "what Synapse quotes in sender",
      { sender_localpart: "irc=bot" },
      "sender_localpart",
      /which Synapse refuses here/,
    ],
    ["a sender too long", { sender_localpart: "b".repeat(250) }, "sender_localpart", /more than 255 bytes/],
    [
      "a sender that begins like a ghost",
      { sender_localpart: "irc_bot" },
      "sender_localpart",
      /begins like a ghost \(irc_\)/,
    ],
    ["no namespaces", { namespaces: undefined }, "namespaces", /is missing: expected a section/],
    [
      "no user namespace",
      { namespaces: {} },
      "namespaces.users",
      /does not tell what the user ids of ghosts begin with/,
    ],
    [
      "exclusive as text",
      { namespaces: { users: [{ exclusive: "yes", regex: "^@irc_.*:example\\.org$" }] } },
      "namespaces.users.0.exclusive",
      /expected true or false/,
    ],
    ["no regex", { namespaces: { users: [{ exclusive: true }] } }, "namespaces.users.0.regex", /is missing/],
    [
      "no server name",
      users("^@irc_.*$"),
      "namespaces.users.0.regex",
      /does not name the server, so it also matches user ids of other homeservers; end it with @…:example\\\.org\$/,
    ],
    [
      "another server name",
      users("^@irc_.*:example\\.com$"),
      "namespaces.users.0.regex",
      /does not end with this homeserver's name/,
    ],
    ["any server", users("^@irc_.*:.*$"), "namespaces.users.0.regex", /does not end with this homeserver's name/],
    [
      "a regex that does not compile",
      users("^@irc_(.*:example\\.org$"),
      "namespaces.users.0.regex",
      /is not a regular expression/,
    ],
    [
      "a look-ahead",
      users("^@irc_(?!x).*:example\\.org$"),
      "namespaces.users.0.regex",
      /uses look-around, which Dendrite \(Go\) and Conduit, tuwunel \(Rust\) cannot read/,
    ],
    ["a look-behind", users("^@irc_.*(?<=x):example\\.org$"), "namespaces.users.0.regex", /look-around/],
    ["a back-reference", users("^@(irc)_\\1.*:example\\.org$"), "namespaces.users.0.regex", /back-reference/],
    [
      "an inline flag",
      users("(?i)^@irc_.*:example\\.org$"),
      "namespaces.users.0.regex",
      /homeservers read differently/,
    ],
    ["no sigil", users("irc_.*:example\\.org"), "namespaces.users.0.regex", /must begin with \^@/],
    ["everybody", users("^@.*:example\\.org$"), "namespaces.users", /claims every user/],
    [
      "a prefix outside the namespace",
      { "trestle.ghost_prefix": "xmpp_" },
      "trestle.ghost_prefix",
      /no user namespace holds ghosts that begin with xmpp_; expected one such as \^@xmpp_/,
    ],
    ["capitals in the prefix", users("^@IRC_.*:example\\.org$"), "namespaces.users", /may have only a-z/],
  ])("%s", (_name, changes, path, message) => {
    const { registration: found, problems } = parse(changes);
    expect(found).toBeUndefined();
    const errors = problems.filter((each) => each.severity === "error");
    expect(errors.map((each) => [each.path.join("."), each.message])).toContainEqual([
      path,
      expect.stringMatching(message),
    ]);
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ["unanchored", users("@irc_.*:example\\.org"), /is not anchored: it lacks \^ and \$/],
    ["an escaped dollar at the end", users("^@irc_.*:example\\.org"), /lacks a \$ at its end/],
    ["an unescaped dot", users("^@irc_.*:example.org$"), /has an unescaped dot in the server name/],
    ["short tokens", { as_token: "short" }, /has only 5 characters and may be guessed/],
    [
      "no ephemeral events",
      { receive_ephemeral: undefined },
      /is not on: typing and read receipts do not reach the network/,
    ],
    ["rate limiting by default", { rate_limited: undefined }, /is absent \(which means true\)/],
    ["a slash at the end of url", { url: "http://localhost:9993/" }, /ends with a slash/],
  ])("is usable with a warning: %s", (_name, changes, message) => {
    const { registration: found, problems } = parse(changes);
    expect(found).toBeDefined();
    expect(problems).toEqual([
      expect.objectContaining({ severity: "warning", message: expect.stringMatching(message) }),
    ]);
  });

  it("has the line of what is wrong", () => {
    const text =
      "id: irc\nurl: x\nas_token: a\nhs_token: b\nsender_localpart: bot\nnamespaces:\n  users:\n    - exclusive: maybe\n      regex: x\n";
    const { problems } = parseRegistration(text, "r.yaml", server);
    expect(problems).toEqual([expect.objectContaining({ line: 8, path: ["namespaces", "users", 0, "exclusive"] })]);
  });

  it("any YAML ends in a registration or in problems", () => {
    const value = fc.jsonValue({ maxDepth: 4 });
    const entry = fc.record(
      { exclusive: fc.oneof(fc.boolean(), value), regex: fc.oneof(fc.string(), value) },
      { requiredKeys: [] },
    );
    const document = fc.record(
      {
        id: fc.oneof(fc.string(), value),
        url: fc.oneof(fc.webUrl(), value),
        as_token: fc.string(),
        hs_token: fc.string(),
        sender_localpart: fc.string(),
        namespaces: fc.record({ users: fc.oneof(fc.array(entry), value) }),
        other: value,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(document, (each) => {
        const { registration: found, problems } = parseRegistration(JSON.stringify(each), "r.yaml", server);
        expect(found === undefined).toBe(problems.some((problem) => problem.severity === "error"));
      }),
      settings,
    );
  });
});

describe("a generated registration", () => {
  const word = fc.stringMatching(/^[a-z0-9._=\-/+]{1,20}$/);
  const names = fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?(:[0-9]{1,4})?$/);

  it("has no problems, matches its own ghosts alone, and is read back with the same prefix", () => {
    fc.assert(
      fc.property(
        word,
        fc.stringMatching(/^[a-z0-9._\-/]{1,20}$/),
        names,
        fc.string({ maxLength: 20 }),
        (prefix, bot, serverName, rest) => {
          fc.pre(!bot.startsWith(prefix));
          const document = generateRegistration({
            id: "x",
            url: "http://localhost:1",
            serverName,
            prefix,
            botLocalpart: bot,
            protocols: ["irc"],
          });
          const text = formatRegistration(document, "a comment\nof two lines");
          const { registration: found, problems } = parseRegistration(text, "r.yaml", serverName);
          expect(problems).toEqual([]);
          expect(load(text)).toEqual(document);
          expect(found?.ghostPrefix).toBe(prefix);
          const { "trestle.ghost_prefix": _explicit, ...derived } = document;
          expect(parseRegistration(formatRegistration(derived), "r.yaml", serverName).registration?.ghostPrefix).toBe(
            prefix,
          );
          expect(found?.isOwnUser(`@${bot}:${serverName}`)).toBe(true);
          if (!/[\n\r\u2028\u2029]/.test(rest)) expect(found?.isOwnUser(`@${prefix}${rest}:${serverName}`)).toBe(true);
          expect(found?.isOwnUser(`@x${prefix}${rest}:${serverName}`)).toBe(
            `x${prefix}${rest}`.startsWith(prefix) && !/[\n\r\u2028\u2029]/.test(rest),
          );
          expect(found?.isOwnUser(`@${prefix}${rest}:${serverName}x`)).toBe(false);
        },
      ),
      settings,
    );
  });

  it("asks for ephemeral events under every name, and to be left unlimited", () => {
    const document = generateRegistration({
      id: "x",
      url: "http://h",
      serverName: server,
      prefix: "irc_",
      botLocalpart: "ircbot",
      protocols: ["irc"],
    });
    expect(document).toMatchObject({
      receive_ephemeral: true,
      "de.sorunome.msc2409.push_ephemeral": true,
      push_ephemeral: true,
      rate_limited: false,
      protocols: ["irc"],
    });
    expect(document.as_token).toMatch(/^[0-9a-f]{64}$/);
    expect(document.hs_token).not.toBe(document.as_token);
  });

  it("keeps tokens and keys it does not know of an earlier one, unless new tokens are asked for", () => {
    const options = { id: "x", url: "http://new", serverName: server, prefix: "irc_", botLocalpart: "ircbot" };
    const earlier = {
      ...parse().registration!.document,
      "org.example.flag": true,
      namespaces: { ...good.namespaces, rooms: [{ exclusive: false, regex: "!x" }], "org.example.ns": 1 },
    };
    const kept = generateRegistration({ ...options, existing: earlier });
    expect(kept).toMatchObject({
      url: "http://new",
      as_token: good.as_token,
      hs_token: good.hs_token,
      "org.example.flag": true,
    });
    expect(kept.namespaces).toMatchObject({ rooms: [{ exclusive: false, regex: "!x" }], "org.example.ns": 1 });
    const renewed = generateRegistration({ ...options, existing: earlier, newTokens: true });
    expect(renewed["org.example.flag"]).toBe(true);
    expect([renewed.as_token, renewed.hs_token]).not.toContain(good.as_token);
  });
});
