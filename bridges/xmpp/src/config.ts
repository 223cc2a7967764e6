import { z } from "zod";
import { isLoopback } from "./accounts/connection/places.js";
import { bareOf, nickFrom, parseJid } from "./address/index.js";

const domain = z.string().refine((text) => {
  const jid = parseJid(text);
  // That it is there at all is looked at with the rest.
  if (text === "") return true;
  return jid !== undefined && jid.local === undefined && jid.resource === undefined && jid.domain === text;
}, "a domain such as matrix.example.org, in lower case");

const nick = z.string().refine((text) => nickFrom(text) === text, "a nick that XMPP servers take as it is: no emoji");

const seconds = z.number().positive().max(86_400);

const service = z.string().refine((text) => {
  const jid = parseJid(text);
  return jid !== undefined && jid.resource === undefined && jid.local === undefined;
}, "a domain such as upload.example.org, in lower case");
const gateway = z.strictObject({
  enabled: z.boolean().default(false).describe("Whether Matrix rooms can be joined from XMPP"),
  rooms: z
    .enum(["linked", "public"])
    .default("linked")
    .describe(
      "Which: those that were linked to “gateway”, or also every public Matrix room that somebody on XMPP joins, which the bridge then enters",
    ),
  blocked: z.array(z.string()).default([]).describe("Addresses and domains of XMPP from which nobody is let in"),
  maxRooms: z.int().min(1).max(100_000).default(1_000).describe("No more rooms are opened because somebody joins them"),
  maxOccupants: z.int().min(1).max(10_000).default(500).describe("How many people of XMPP are in one room at most"),
  maxMembers: z
    .int()
    .min(0)
    .max(10_000)
    .default(500)
    .describe("How many Matrix users are shown in one room; those who speak are shown in any case"),
  archive: z
    .int()
    .min(100)
    .max(10_000_000)
    .default(20_000)
    .describe("How many messages of each room are kept for those who join later"),
});

const accountServer = z
  .strictObject({
    host: z
      .string()
      .regex(/^[^\s/@]+$/, "a host")
      .describe("Where it takes clients; it may be in a private network"),
    port: z.int().min(1).max(65535).default(5222).describe("Its port for clients"),
    security: z
      .enum(["starttls", "direct", "none"])
      .default("starttls")
      .describe(
        "How the connection is encrypted: after it was opened (port 5222), from the start (often port 5223), or, with a server on this machine alone, not at all",
      ),
    ca: z
      .string()
      .optional()
      .describe(
        "A file with the certificates (PEM) of the authorities that are trusted, instead of those of the system",
      ),
  })
  .refine(({ host, security }) => security !== "none" || isLoopback(host), {
    message: "without encryption a server must be on this machine: 127.0.0.1, ::1 or localhost",
    path: ["security"],
  });

const accounts = z.strictObject({
  enabled: z
    .boolean()
    .default(false)
    .describe("Whether Matrix users can sign in with an XMPP account of their own, and then speak through it"),
  domains: z.array(service).optional().describe("Only accounts of these servers; of every public server where absent"),
  servers: z
    .record(service, accountServer)
    .default({})
    .describe(
      "Where the servers of these domains are, instead of where DNS says, also in a private network: each with host, port (5222), security (starttls; direct: encrypted from the start; none: on this machine alone) and ca (a PEM file with the authorities to trust)",
    ),
});

const relayAccount = z.strictObject({
  jid: z
    .string()
    .refine((text) => {
      const jid = parseJid(text);
      return jid?.local !== undefined && bareOf(jid) === text;
    }, "an address such as bridge@example.org, in lower case")
    .describe("Its address; where its server is not to be found by DNS, it is named under accounts.servers"),
  password: z.string().min(1).describe("Its password"),
});

const fields = z.strictObject({
  host: z
    .string()
    .regex(/^[^\s/@]+$/, "a host")
    .default("127.0.0.1")
    .describe(
      "Where the XMPP server takes components; the connection is not encrypted, so keep it on one machine or in a tunnel",
    ),
  port: z
    .int()
    .min(1)
    .max(65535)
    .default(5347)
    .describe("Its port for components: 5347 with Prosody, 8888 in many configurations of ejabberd"),
  domain: domain
    .default("")
    .describe(
      "The component's domain: Matrix users are alice_example.org@<domain> on XMPP; do not change it later. Needed, except with `account`",
    ),
  secret: z
    .string()
    .default("")
    .describe("The component's secret, the same as in the XMPP server's configuration. Needed, except with `account`"),
  account: relayAccount
    .optional()
    .describe(
      "Instead of a component: an account through which the bridge says in rooms what is said on Matrix. People on XMPP cannot be written to alone then",
    ),
  reconnect: z
    .strictObject({
      min: seconds.default(0.5).describe("The first wait before a new connection, in seconds"),
      max: seconds.default(60).describe("The longest, in seconds"),
    })
    .prefault({})
    .describe("When a connection that was lost is opened again"),
  nick: nick.default("Matrix").describe("What the bridge itself is called in rooms"),
  ghosts: z
    .boolean()
    .default(true)
    .describe(
      "An occupant of their own for every Matrix user who speaks in a room; otherwise the bridge speaks for all: <name> text",
    ),
  maxGhosts: z
    .int()
    .min(0)
    .max(10_000)
    .default(500)
    .describe("How many Matrix users are in one XMPP room at most; the one silent for longest makes room"),
  upload: service
    .optional()
    .describe(
      "The HTTP upload service (XEP-0363) for files from Matrix; found where absent, if the component's domain is below that of the server",
    ),
  gateway: gateway.prefault({}).describe("Matrix rooms as rooms of XMPP, on the component's domain"),
  accounts: accounts.prefault({}).describe("Matrix users' own XMPP accounts"),
});

/** What the configuration says; as a whole it is checked for what cannot be together. */
export const configSchema = fields.superRefine((config, context) => {
  const { account, secret, gateway: rooms, accounts: own } = config;
  const wrong = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
  if (account === undefined) {
    if (config.domain === "") wrong("domain", "the component's domain is needed, or an account instead of a component");
    if (secret === "") wrong("secret", "the component's secret is needed, or an account instead of a component");
    return;
  }
  if (config.domain !== "" || secret !== "") wrong("account", "either a component (domain, secret) or an account");
  if (rooms.enabled) wrong("gateway", "Matrix rooms can be joined from XMPP only through a component");
  if (own.enabled) wrong("accounts", "people can sign in with accounts of their own only beside a component");
});

export type XmppConfig = z.output<typeof configSchema>;
