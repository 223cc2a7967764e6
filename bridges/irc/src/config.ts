import { TextDecoder } from "node:util";
import { z } from "zod";
import { PASSWORD_MECHANISMS } from "./session/sasl/credentials.js";
import { isPrefix } from "./network/connections/user-address.js";

const oneLine = (what: string) => z.string().refine((text) => !/[\r\n\0]/.test(text), `${what} must be one line`);
const word = (what: string) =>
  oneLine(what).refine(
    (text) => text !== "" && !/[ :]/.test(text.slice(0, 1)) && !text.includes(" "),
    `${what} must be one word`,
  );
const command = oneLine("a command").regex(/^[A-Za-z]+(?: |$)/, "a command of IRC such as MODE {nick} +x");
const seconds = z.number().positive().max(86_400);

const encoding = z.string().refine((label) => {
  try {
    new TextDecoder(label);
    return true;
  } catch {
    return false;
  }
}, "an encoding of the WHATWG Encoding Standard such as windows-1252 or shift_jis");

export const networkSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, "up to 32 of a-z 0-9 -")
    .describe("What the network is called in channel names (libera/#trestle); do not change it later"),
  host: word("a host").describe("The server's name or address"),
  port: z.int().min(1).max(65535).optional().describe("Its port; 6697 with TLS, 6667 without"),
  fallbacks: z
    .array(word("a server"))
    .max(50)
    .default([])
    .describe("More servers of the network, host or host:port, tried in turn when a connection cannot be made"),
  tls: z.boolean().default(true).describe("Encrypt the connection and check the server's certificate"),
  ca: z.string().optional().describe("A PEM file with the certificates to trust instead of the system's"),
  serverName: word("a server name").optional().describe("The name the certificate must hold, where it is not host"),
  insecure: z
    .boolean()
    .default(false)
    .describe("Accept any certificate: whoever sits in between reads and writes everything"),
  fingerprints: z
    .array(
      z
        .string()
        .regex(
          /^(?:[0-9A-Fa-f]{64}|(?:[0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2})$/,
          "64 hexadecimal digits, as openssl prints them",
        )
        .transform((text) => text.replaceAll(":", "").toLowerCase()),
    )
    .max(50)
    .default([])
    .describe(
      "The SHA-256 fingerprints of the certificates the servers may have: these and no others are trusted, whoever has signed them, and also after they have expired",
    ),
  localAddress: z.string().optional().describe("The local address to connect from"),
  ipv6Prefix: z
    .string()
    .refine(isPrefix, "an IPv6 prefix such as 2001:db8:1::/64")
    .optional()
    .describe("Every puppet connects from an address of its own in this prefix, which must be routed to this machine"),
  webirc: z
    .strictObject({
      password: word("a password").describe("The password the network gave for the gateway"),
      gateway: word("a name").default("trestle").describe("What the gateway is called"),
      hosts: word("a host").describe("What the puppets' hosts end with, as the network shows them"),
    })
    .optional()
    .describe("Give every puppet a host of its own with WEBIRC; the network must have agreed"),
  password: oneLine("a password").optional().describe("The server's password, where it wants one"),
  nick: word("a nick").default("trestle").describe("The bot's nick"),
  username: word("a user name").default("trestle").describe("The user name (ident) of the bot and the puppets"),
  realname: oneLine("a real name").default("Trestle bridge").describe("The bot's real name"),
  sasl: z
    .strictObject({
      account: oneLine("an account").describe("The account the bot signs in to"),
      password: oneLine("a password").optional().describe("Its password; or certificate"),
      certificate: z
        .string()
        .optional()
        .describe(
          "A PEM file with a TLS client certificate and its key, by which the network knows the account instead of a password (SASL EXTERNAL)",
        ),
      mechanism: z
        .enum(PASSWORD_MECHANISMS)
        .optional()
        .describe("The only way in which it shows its password; without it SCRAM-SHA-256, or else PLAIN"),
    })
    .refine(({ password, certificate }) => (password === undefined) !== (certificate === undefined), {
      error: "expected either password or certificate",
    })
    .optional()
    .describe(
      "Sign the bot in (SCRAM-SHA-256 or PLAIN, or EXTERNAL by certificate); without success it does not connect",
    ),
  identify: z
    .string()
    .regex(
      /^(?:NICKSERV|NS|[A-Za-z][\w-]*@[\w-]+(?:\.[\w-]+)+)$/,
      "NICKSERV, NS, or a service with its server such as NickServ@services.example.net",
    )
    .optional()
    .describe(
      "How accounts sign in where the server has no SASL: a command of the server that reaches the services alone, NICKSERV or NS, or the service with its server, NickServ@services.example.net; without it such a network has no accounts",
    ),
  puppets: z
    .boolean()
    .default(true)
    .describe(
      "A connection of their own for every Matrix user who speaks; otherwise the bot speaks for all: <name> text",
    ),
  relayed: z
    .strictObject({
      channels: z.array(word("a channel")).max(1_000).default([]).describe("Channels, e.g. #quiet"),
      users: z
        .array(word("a Matrix id"))
        .max(1_000)
        .default([])
        .describe("Matrix ids; * stands for anything: *:example.org"),
    })
    .prefault({})
    .describe("Where, and for whom, the bot speaks in channels although there are puppets"),
  commands: z
    .strictObject({
      bot: z.array(command).max(20).default([]).describe("By the bot, before it joins any channel"),
      puppets: z.array(command).max(20).default([]).describe("By every puppet"),
    })
    .prefault({})
    .describe("What is sent as it stands when the server has let somebody in; {nick} is their nick: MODE {nick} +x"),
  relaymsg: word("a name")
    .refine((text) => text.includes("{name}"), "the template must contain {name}")
    .optional()
    .describe(
      "Under which name the server shows what the bot says for somebody, where it offers draft/relaymsg and the bot is an operator of the channel: {name} is the display name, {separator} the character the server wants in such names, e.g. {name}{separator}matrix; without it the bot always says <name> text",
    ),
  relayColours: z
    .boolean()
    .default(false)
    .describe(
      "Whether the names in what the bot says for somebody are coloured, everybody in a colour of their own; in channels that refuse colours they are not",
    ),
  puppetNick: oneLine("a nick")
    .refine((text) => text.includes("{name}"), "the template must contain {name}")
    .default("{name}[m]")
    .describe("How puppets are called"),
  chosenNicks: z
    .boolean()
    .default(true)
    .describe("Whether people can choose another nick for their puppet, with the command nick"),
  puppetRealname: oneLine("a real name")
    .default("{user}")
    .describe("The puppets' real name; {user} is the Matrix id, {name} the display name"),
  puppetUsername: word("a user name")
    .refine((text) => /\{(?:localpart|id)\}/.test(text), "the template must contain {localpart} or {id}")
    .optional()
    .describe(
      "The puppets' user name (ident): {localpart} is the beginning of the Matrix id, {id} a short word that stands for it and tells nobody who it is; username where absent",
    ),
  maxPuppets: z
    .int()
    .min(0)
    .max(100_000)
    .default(100)
    .describe("How many puppets are connected at most; the one silent for longest makes room"),
  maxPuppetsOf: z
    .record(
      z
        .string()
        .regex(
          /^(?:\*|[A-Za-z0-9.\-:[\]]+)$/,
          "expected a homeserver's name such as example.org, or * for every other",
        ),
      z.int().min(0).max(100_000),
    )
    .default({})
    .meta({
      examples: [{ "*": 20, "example.org": 1000 }],
      description:
        "How many of them the users of one homeserver may have, by its name or * for every server without an entry; one that is silent for 10 minutes makes room, and until then the bot speaks for whoever has none. Servers without any entry have no limit of their own",
    }),
  readers: z
    .enum(["hidden", "shown"])
    .default("hidden")
    .describe(
      "Whether those who only read have a puppet in the channels of their rooms, too, as far as maxPuppets and maxPuppetsOf go: a connection for every member of the rooms. Who speaks goes first, and takes a reader's place where there is no other",
    ),
  waitForReaders: z
    .number()
    .min(0)
    .max(86_400)
    .default(0)
    .describe(
      "How long what is said in a channel is at most held back from Matrix until everybody who is to be shown there is there, in seconds; then it goes on, and the room is told who is not. Only where readers are shown. 0: nothing is held back",
    ),
  idle: z
    .number()
    .positive()
    .max(31_536_000)
    .optional()
    .describe(
      "A puppet whose person has said nothing for so long quits, in seconds; it comes back when they speak, and they stay in the room. Without it nobody quits for being silent. Where readers are shown it is only about puppets that are in no channel",
    ),
  maxLines: z
    .int()
    .min(2)
    .max(10_000)
    .default(5)
    .describe("A message of more lines is cut short there, with a link to the whole where media.publicUrl is set"),
  flood: z
    .strictObject({
      burst: z.int().min(1).max(10_000).default(5).describe("How many lines a connection may send at once"),
      linesPerSecond: z.number().positive().max(100_000).default(1).describe("How many lines a second after that"),
      maxWait: z
        .number()
        .positive()
        .max(86_400)
        .default(1_800)
        .describe("What has waited so long for its turn behind others is given up, and its sender told, in seconds"),
    })
    .prefault({})
    .describe("What the server takes before it cuts a connection for flooding"),
  connects: z
    .strictObject({
      burst: z.int().min(1).max(10_000).default(5).describe("How many connections may be opened at once"),
      perSecond: z.number().positive().max(10_000).default(1).describe("How many a second after that"),
    })
    .prefault({})
    .describe("What the network takes before it throttles new connections"),
  reconnect: z
    .strictObject({
      min: seconds.default(0.3).describe("The first wait before a new connection, in seconds"),
      max: seconds.default(300).describe("The longest, in seconds"),
    })
    .prefault({})
    .describe("When a connection is opened again"),
  timeouts: z
    .strictObject({
      connect: seconds.default(10).describe("How long opening a connection may take, in seconds"),
      register: seconds.default(60).describe("How long the server may take to let us in, in seconds"),
      silence: seconds.default(60).describe("A server silent for so long is asked whether it is there, in seconds"),
      answer: seconds.default(30).describe("How long it may take to answer, in seconds"),
    })
    .prefault({})
    .describe("How long to wait for a server"),
  typing: z
    .boolean()
    .default(true)
    .describe(
      "Whether who types on Matrix is seen typing on IRC, and the other way round, where the server passes that on",
    ),
  asText: z
    .strictObject({
      reactions: z.boolean().default(false).describe("Reactions: * ann reacted 👍 to “first words…”"),
      deletions: z.boolean().default(false).describe("Deletions: * ann deleted their message of 12:04 UTC"),
    })
    .prefault({})
    .describe("What is said in a line where the server cannot show it otherwise"),
  presence: z
    .strictObject({
      toIrc: z
        .boolean()
        .default(true)
        .describe("Whether puppets are marked as away (AWAY) whose people are not there, where the homeserver tells"),
      after: z
        .number()
        .min(0)
        .max(86_400)
        .default(120)
        .describe("How long somebody must have been away before IRC is told, in seconds"),
      toMatrix: z
        .boolean()
        .default(false)
        .describe(
          "Whether ghosts are shown as unavailable whose people are marked as away (away-notify), and as offline those with whom somebody talks alone and who have gone (MONITOR): a request to the homeserver each time",
        ),
    })
    .prefault({})
    .describe("Whether it crosses who is away"),
  consent: z
    .boolean()
    .default(true)
    .describe(
      "Whether an operator of a channel must agree before somebody on Matrix who is no admin of the bridge can link a room to it; links of this configuration and of the command line need nobody's consent",
    ),
  splitWait: z
    .number()
    .min(0)
    .max(86_400)
    .default(300)
    .describe(
      "How long people who were lost because servers lost each other stay in the rooms, in seconds; who is not back by then leaves. 0: at once",
    ),
  outageNotice: z
    .number()
    .min(0)
    .max(604_800)
    .default(600)
    .describe(
      "How long the network must have been away before its rooms are told so, once, in seconds; they are then told as well when it is back. 0: never",
    ),
  encoding: encoding.default("windows-1252").describe("How lines are read that are not UTF-8"),
});

export const configSchema = z.strictObject({
  networks: z
    .array(networkSchema)
    .min(1)
    .refine(
      (networks) => new Set(networks.map(({ name }) => name)).size === networks.length,
      "two networks have the same name",
    )
    .describe("The IRC networks"),
  ident: z
    .strictObject({
      port: z.int().min(0).max(65535).default(113).describe("Where it listens; servers ask at 113"),
      address: z.string().optional().describe("The local address at which it listens; all where absent"),
    })
    .optional()
    .describe("Tells the servers whose each connection is (RFC 1413)"),
  grace: seconds.default(120).describe("How long connections are kept while the bridge is away, in seconds"),
  onStop: z
    .enum(["keep", "quit"])
    .default("keep")
    .describe(
      "keep: connections outlive a stop of the bridge by grace, so that an upgrade is not seen on IRC; quit: they are closed",
    ),
  quitMessage: oneLine("a message").default("Bridge stopped").describe("What clients say when they quit"),
});

export type IrcConfig = z.output<typeof configSchema>;
export type NetworkConfig = z.output<typeof networkSchema>;
