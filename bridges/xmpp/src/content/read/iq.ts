import { readBits, type Bits } from "../../protocol/bits.js";
import {
  readCommandRequest,
  readCommandResponse,
  type CommandRequest,
  type CommandResponse,
} from "../../protocol/commands.js";
import { readDiscoInfo, readDiscoItems, type DiscoInfo, type DiscoItems } from "../../protocol/disco.js";
import { formIn, type DataForm } from "../../protocol/forms.js";
import { readGatewayPrompt, type GatewayPrompt } from "../../protocol/gateway-prompt.js";
import { readArchiveEnd, readArchiveQuery, type ArchiveEnd, type ArchiveQuery } from "../../protocol/mam.js";
import { readMucAdmin } from "../../protocol/muc-admin.js";
import { readPubsub, type PubsubItems } from "../../protocol/pubsub.js";
import { readRegistration, type Registration } from "../../protocol/register.js";
import { readSearch, type Search } from "../../protocol/search.js";
import { readUploadSlot, type UploadSlot } from "../../protocol/upload.js";
import { readVCard, type VCard } from "../../protocol/vcard.js";
import { given } from "../given.js";
import { ns } from "../namespaces.js";
import {
  attributeOf,
  childOf,
  elementsOf,
  filledAttributeOf,
  localName,
  namespaceOf,
  ownChildOf,
  ownTextOf,
  type XmlElement,
} from "../xml.js";
import { readError, type StanzaError } from "./error.js";
import type { MucItem } from "./muc-user.js";

/** A question, an order, or the answer to one. */
export interface IqStanza {
  readonly stanza: "iq";
  readonly type: "get" | "set" | "result" | "error";
  /** An answer belongs to a question by its id and by who sends it: compare both. */
  readonly id: string;
  readonly from?: string;
  readonly to?: string;
  readonly what: IqWhat;
  /** What stands in it, for what has no type here. */
  readonly payload?: XmlElement;
}

/** What an IQ is about. Whether it asks, orders or answers is its type. */
export type IqWhat =
  | { readonly kind: "ping" }
  | { readonly kind: "version"; readonly name?: string; readonly version?: string; readonly os?: string }
  | { readonly kind: "time" }
  | { readonly kind: "lastActivity" }
  | { readonly kind: "discoInfo"; readonly info: DiscoInfo }
  | { readonly kind: "discoItems"; readonly items: DiscoItems }
  | { readonly kind: "vcard"; readonly card: VCard }
  | { readonly kind: "register"; readonly registration: Registration }
  | { readonly kind: "search"; readonly search: Search }
  | { readonly kind: "gatewayPrompt"; readonly prompt: GatewayPrompt }
  | { readonly kind: "command"; readonly request: CommandRequest }
  | { readonly kind: "commandResponse"; readonly response: CommandResponse }
  | { readonly kind: "archiveQuery"; readonly query: ArchiveQuery }
  | { readonly kind: "archiveForm"; readonly form?: DataForm }
  | { readonly kind: "archiveMetadata" }
  | { readonly kind: "archiveEnd"; readonly end: ArchiveEnd }
  | { readonly kind: "pubsub"; readonly items: PubsubItems }
  | { readonly kind: "bits"; readonly bits: Bits }
  | { readonly kind: "mucAdmin"; readonly items: readonly MucItem[] }
  /** The configuration of a room (XEP-0045 §10), or its end. */
  | {
      readonly kind: "mucOwner";
      readonly form?: DataForm;
      readonly destroy?: { readonly reason?: string; readonly alternative?: string };
    }
  /** A moderator wants a message gone (XEP-0425); of the days of `fastened` ones too. */
  | { readonly kind: "moderate"; readonly target: string; readonly reason?: string }
  | { readonly kind: "uploadSlot"; readonly slot: UploadSlot }
  | { readonly kind: "error"; readonly error: StanzaError }
  /** An answer that says nothing but that all is well. */
  | { readonly kind: "empty" }
  /** It is not what RFC 6120 §8.2.3 allows, or lacks what it is about: answer `get` and `set` with this condition. */
  | { readonly kind: "invalid"; readonly condition: "bad-request"; readonly reason: string }
  /** Answer `get` and `set` with `service-unavailable`. */
  | { readonly kind: "unknown"; readonly name: string; readonly namespace: string };

const iqTypes = ["get", "set", "result", "error"] as const;

/** What an IQ means. It never throws. */
export function readIq(iq: XmlElement): IqStanza {
  const type = iqTypes.find((name) => name === attributeOf(iq, "type"));
  const id = filledAttributeOf(iq, "id");
  const [payload, ...others] = elementsOf(iq);
  const head = given({
    stanza: "iq",
    type: type ?? "get",
    id: id ?? "",
    from: filledAttributeOf(iq, "from"),
    to: filledAttributeOf(iq, "to"),
    payload,
  } as const);
  if (type === undefined) return { ...head, what: invalid("it has no type") };
  if (type === "error") return { ...head, what: { kind: "error", error: readError(iq) } };
  if (id === undefined) return { ...head, what: invalid("it has no id") };
  if (type === "result" && payload === undefined) return { ...head, what: { kind: "empty" } };
  if (payload === undefined || (type !== "result" && others.length > 0))
    return { ...head, what: invalid("it must hold exactly one element") };
  return { ...head, what: payloadOf(payload, type) };
}

function invalid(reason: string): IqWhat {
  return { kind: "invalid", condition: "bad-request", reason };
}

type Reader = (payload: XmlElement, type: IqStanza["type"]) => IqWhat;

function payloadOf(payload: XmlElement, type: IqStanza["type"]): IqWhat {
  const [name, namespace] = [localName(payload), namespaceOf(payload) ?? ""];
  const read = readers.get(`${name} ${namespace}`);
  return read === undefined ? { kind: "unknown", name, namespace } : read(payload, type);
}

const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  [`ping ${ns.ping}`, () => ({ kind: "ping" })],
  [`query ${ns.version}`, readVersion],
  [`time ${ns.time}`, () => ({ kind: "time" })],
  [`query ${ns.lastActivity}`, () => ({ kind: "lastActivity" })],
  [`query ${ns.discoInfo}`, (query) => ({ kind: "discoInfo", info: readDiscoInfo(query) })],
  [`query ${ns.discoItems}`, (query) => ({ kind: "discoItems", items: readDiscoItems(query) })],
  [`vCard ${ns.vcard}`, (card) => ({ kind: "vcard", card: readVCard(card) })],
  [`query ${ns.register}`, (query) => ({ kind: "register", registration: readRegistration(query) })],
  [`query ${ns.search}`, (query) => ({ kind: "search", search: readSearch(query) })],
  [`query ${ns.gateway}`, (query) => ({ kind: "gatewayPrompt", prompt: readGatewayPrompt(query) })],
  [`command ${ns.commands}`, readCommand],
  [`query ${ns.mam}`, readArchive],
  [`metadata ${ns.mam}`, () => ({ kind: "archiveMetadata" })],
  [`fin ${ns.mam}`, (fin) => ({ kind: "archiveEnd", end: readArchiveEnd(fin) })],
  [`pubsub ${ns.pubsub}`, readItems],
  [`data ${ns.bitsOfBinary}`, readData],
  [`query ${ns.mucAdmin}`, (query) => ({ kind: "mucAdmin", items: readMucAdmin(query) })],
  [`query ${ns.mucOwner}`, readMucOwner],
  [`moderate ${ns.moderation}`, (moderate) => moderateOf(moderate, moderate)],
  [`apply-to ${ns.fastening}`, readFastened],
  [`slot ${ns.httpUpload}`, readSlot],
]);

function readVersion(query: XmlElement): IqWhat {
  return given({
    kind: "version",
    name: ownTextOf(query, "name"),
    version: ownTextOf(query, "version"),
    os: ownTextOf(query, "os"),
  } as const);
}

function readCommand(command: XmlElement, type: IqStanza["type"]): IqWhat {
  if (type === "result") {
    const response = readCommandResponse(command);
    return response === undefined
      ? invalid("the answer lacks its command, its session or its status")
      : { kind: "commandResponse", response };
  }
  const request = readCommandRequest(command);
  return request === undefined ? invalid("no such step of a command") : { kind: "command", request };
}

function readArchive(query: XmlElement, type: IqStanza["type"]): IqWhat {
  if (type !== "set") return given({ kind: "archiveForm", form: formIn(query) } as const);
  const wanted = readArchiveQuery(query);
  return wanted === undefined ? invalid("a time of the query is none") : { kind: "archiveQuery", query: wanted };
}

function readItems(pubsub: XmlElement): IqWhat {
  const items = readPubsub(pubsub);
  return items === undefined ? { kind: "unknown", name: "pubsub", namespace: ns.pubsub } : { kind: "pubsub", items };
}

function readData(data: XmlElement): IqWhat {
  const bits = readBits(data);
  return bits === undefined ? invalid("it does not say which picture") : { kind: "bits", bits };
}

function readMucOwner(query: XmlElement): IqWhat {
  const destroy = ownChildOf(query, "destroy");
  return given({
    kind: "mucOwner",
    form: formIn(query),
    destroy: destroy && given({ reason: ownTextOf(destroy, "reason"), alternative: filledAttributeOf(destroy, "jid") }),
  } as const);
}

function readFastened(fastening: XmlElement): IqWhat {
  const moderate = childOf(fastening, "moderate", ns.oldModeration);
  return moderate === undefined
    ? { kind: "unknown", name: "apply-to", namespace: ns.fastening }
    : moderateOf(fastening, moderate);
}

function moderateOf(named: XmlElement, moderate: XmlElement): IqWhat {
  const target = filledAttributeOf(named, "id");
  if (target === undefined) return invalid("it does not say which message");
  return given({ kind: "moderate", target, reason: ownTextOf(moderate, "reason") } as const);
}

function readSlot(slot: XmlElement): IqWhat {
  const read = readUploadSlot(slot);
  return read === undefined ? invalid("there is no place in it") : { kind: "uploadSlot", slot: read };
}
