import type { FaultSwitches } from "../faults/switches.js";

/** The homeservers whose ways with application services the test kit knows, and the bare specification. */
export type ProfileName = "spec" | "synapse" | "dendrite" | "tuwunel" | "construct";

/** How the regexes of a registration are matched. */
export interface NamespaceMatching {
  /** `start`: the match must begin where the id begins; `anywhere`: unanchored; `glob`: `*` and `?`, the whole id. */
  readonly anchoring: "start" | "anywhere" | "glob";
  readonly ignoreCase: { readonly users: boolean; readonly aliases: boolean; readonly rooms: boolean };
}

/**
 * How one homeserver treats application services. The defaults of the fault switches are part of it, so that a test
 * may still turn any of them; what else differs is fixed when the homeserver starts.
 *
 * Measured on Synapse 1.160; read from the sources of Dendrite 0.13.8, tuwunel 1.9.0 and Construct (2023). What nobody
 * looked up there is as in the first column.
 *
 * | trait                                | spec        | synapse            | dendrite         | tuwunel          | construct          |
 * | ------------------------------------ | ----------- | ------------------ | ---------------- | ---------------- | ------------------ |
 * | token                                | header      | header             | header           | header and query | query              |
 * | transaction id                       | 1, 2, 3 …   | 1, 2, 3 …          | time of the first event, ns | hash of the content | place of the first event |
 * | numbering after a restart            | goes on     | 1 again (SQLite)*  | —                | —                | —                  |
 * | events in a transaction, at most     | 100         | 100                | 50               | 48               | 512 KiB            |
 * | accepted by                          | 2xx         | 2xx and JSON       | 200              | 2xx and JSON     | 2xx                |
 * | answer within                        | 60 s        | 60 s               | 30 s             | 35 s             | 10 s               |
 * | retry                                | 2 s … 512 s | 2, 4 … 512 s       | 2, 4 … 64 s      | with the next event, ping, restart | every 15 s |
 * | a retry has                          | same events | same events        | more events      | same events      | more events        |
 * | events that come while it is down    | wait        | one transaction each | wait           | wait             | wait, lost at a restart |
 * | ephemeral events                     | `ephemeral` | as the registration asks, also both | none | `ephemeral` | none             |
 * | … in a retry                         | kept        | lost               | —                | kept             | —                  |
 * | private receipts of others           | no          | yes                | —                | no               | —                  |
 * | ping                                 | yes         | yes, retries       | no               | yes, retries     | no                 |
 * | repeats of a client transaction      | device, path | service, path     | service, room and type | user, device, any room | user's last three: 409 |
 * | … are known for                      | 1 hour      | 30 to 60 min       | 30 to 60 min     | ever             | —                  |
 * | namespaces                           | start       | start              | unanchored       | unanchored, users and aliases in any case | globs in any case |
 * | localparts of ghosts                 | grammar     | anything           | `[0-9a-z_\-+=./]` | lower-cased, grammar | anything       |
 * | masquerade outside of the namespace  | 403         | 403                | 403              | 403              | allowed            |
 * | unknown `device_id`                  | M_UNKNOWN_DEVICE | ORG.MATRIX.MSC4326.M_UNKNOWN_DEVICE | ignored | M_INVALID_PARAM | ignored |
 * | token in header and query            | header counts | 401              | header counts    | header counts    | header counts      |
 * | 404 for a profile                    | M_NOT_FOUND | M_UNKNOWN          | M_NOT_FOUND      | M_NOT_FOUND      | M_NOT_FOUND        |
 * | `joined_members` needs               | membership  | any ghost in it    | membership       | membership       | membership         |
 * | asynchronous upload                  | yes         | yes                | no               | yes              | no                 |
 * | media without a token                | no          | no                 | no               | no               | yes                |
 * | room versions                        | 11, 12      | 11, 12             | 11               | 11, 12           | 11                 |
 * | `/versions` up to                    | v1.19       | v1.12              | v1.2             | v1.19            | v1.6               |
 * | `age`, `user_id` in events           | no          | yes                | no               | no               | no                 |
 * | connections                          | kept alive  | kept alive         | one each         | kept alive       | kept alive         |
 * | registration                         |             | no `\|` in the id  |                  |                  | id = sender_localpart, `as_token` begins with `bridge_` |
 *
 * \* A restart of Synapse also forgets client transactions: `homeserver.restart({ forgetTransactions: true })`.
 */
export interface Profile {
  readonly name: ProfileName;
  /** Switches whose value, while a test has not turned them, is not that of {@link FaultSwitches}. */
  readonly switches: Readonly<Partial<FaultSwitches>>;
  readonly namespaces: NamespaceMatching;
  readonly defaultRoomVersion: "11" | "12";
  readonly roomVersions: readonly ("11" | "12")[];
  /** `any`: every string; `grammar`: the characters of the specification; `lower`: lower-cased first. */
  readonly ghostLocalparts: "any" | "grammar" | "lower";
  readonly checksMasquerade: boolean;
  /** Errcode for an unknown `device_id` of an application service; `undefined`: the parameter is not looked at. */
  readonly unknownDevice: string | undefined;
  /** A token in the header and in the query at once is 401; else the header counts. */
  readonly refusesTwoTokens: boolean;
  /** Errcode of the 404 for the profile of nobody. */
  readonly missingProfile: "M_NOT_FOUND" | "M_UNKNOWN";
  /** `joined_members` is answered wherever any user of the application service is joined. */
  readonly membersByAnyGhost: boolean;
  /** `/sync` as the service's own user, which has no device, is a 500. */
  readonly senderCannotSync: boolean;
  /** The connection to an application service serves more than one request. */
  readonly keepAlive: boolean;
  /** The id equals the sender's localpart and the `as_token` begins with `bridge_`. */
  readonly constructRegistration: boolean;
}
