import { z } from "zod";

const namespace = z.looseObject({
  exclusive: z
    .boolean({ error: "expected true or false (not yes, no or text: homeservers read those differently)" })
    .describe("whether nobody else may use these names"),
  regex: z.string().describe("which names"),
});

const namespaces = z.array(namespace).nullish();

/** A registration as it stands in its file; keys this schema does not name are kept. */
export const registrationFileSchema = z.looseObject({
  id: z.string().min(1).describe("a name for this bridge, unique among the homeserver's registrations"),
  url: z.string().nullable().describe("where the homeserver reaches Trestle, e.g. http://localhost:9993"),
  as_token: z.string().describe("the secret by which the homeserver knows Trestle"),
  hs_token: z.string().describe("the secret by which Trestle knows the homeserver"),
  sender_localpart: z.string().min(1).describe("the bridge bot's user id without @ and server name, e.g. ircbot"),
  namespaces: z
    .looseObject({ users: namespaces, aliases: namespaces, rooms: namespaces })
    .describe("which users and aliases belong to the bridge"),
  rate_limited: z.boolean().optional().describe("whether the homeserver slows the bridge down"),
  protocols: z.array(z.string()).nullish().describe("the networks that clients can ask about"),
  receive_ephemeral: z.boolean().optional(),
  "de.sorunome.msc2409.push_ephemeral": z.boolean().optional(),
  push_ephemeral: z.boolean().optional(),
  "trestle.ghost_prefix": z.string().optional().describe("what the localparts of ghosts begin with, e.g. irc_"),
});

/** A registration as its file holds it (Application Service API, "Registration"), with the keys Trestle does not know. */
export type RegistrationDocument = z.output<typeof registrationFileSchema>;
export type NamespaceEntry = z.output<typeof namespace>;
