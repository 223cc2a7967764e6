import { bareJidOf, localOfUser } from "../address/index.js";
import { ns, type IqStanza } from "../content/index.js";
import type { MatrixPeople } from "../people/matrix-people.js";
import {
  valueIn,
  writeDiscoInfo,
  writeGatewayPrompt,
  writeRegistration,
  writeSearch,
  writeVCard,
  type Search,
} from "../protocol/index.js";
import { badRequest, noSuchItem, unavailable, type Answered } from "./answered.js";
import { table, type Commands } from "./commands.js";
import { componentInfo } from "./features.js";
import { addressOfTyped } from "./lookup.js";
import { versionElement } from "./user-queries.js";

export interface ComponentQueriesOptions {
  readonly domain: string;
  readonly matrixPeople: MatrixPeople;
  readonly commands: Commands;
  readonly hasRooms: boolean;
}

const mostFound = 50;
const noAccount =
  "No account is needed: add alice_example.org at this domain to write to @alice:example.org, or ask for an address with the command of the gateway.";

/** Answers what is asked of the component itself. */
export class ComponentQueries {
  constructor(private readonly options: ComponentQueriesOptions) {}

  /** `undefined`: another part of the bridge knows the answer, or nobody. */
  async answer({ what, type, from }: IqStanza): Promise<Answered | undefined> {
    switch (what.kind) {
      case "discoInfo": {
        const { node } = what.info;
        if (node === undefined) return { result: writeDiscoInfo(componentInfo(this.options.hasRooms)) };
        return node === ns.commands ? { result: writeDiscoInfo({ ...commandsInfo, node }) } : noSuchItem;
      }
      case "discoItems":
        return what.items.node === ns.commands ? this.options.commands.list() : undefined;
      case "command":
        return type === "set"
          ? this.options.commands.step(what.request, bareJidOf(from ?? "") ?? "")
          : badRequest("A command is set.");
      case "gatewayPrompt":
        return this.#prompt(type, what.prompt.prompt);
      case "register":
        // XEP-0100 §4.1: there is nothing to register with.
        return type === "get"
          ? { result: writeRegistration({ registered: true, instructions: noAccount }) }
          : { result: writeRegistration({}) };
      case "search":
        return this.#search(type, what.search);
      case "vcard":
        return type === "get" ? { result: writeVCard({ fullName: "Matrix", description: noAccount }) } : unavailable;
      case "version":
        return { result: versionElement() };
      default:
        return undefined;
    }
  }

  /** XEP-0100 §4.11: the address of what somebody typed. */
  #prompt(type: IqStanza["type"], typed: string | undefined): Answered {
    if (type === "get") {
      const description = "Type the id of a Matrix user or room, such as @alice:example.org.";
      return { result: writeGatewayPrompt({ description, prompt: "Matrix id" }) };
    }
    const found = addressOfTyped(typed ?? "", this.options.domain);
    return found
      ? { result: writeGatewayPrompt({ jid: found.jid, prompt: found.jid }) }
      : { error: "item-not-found", type: "modify", text: "This is no Matrix id: type one like @alice:example.org." };
  }

  /** XEP-0055, in the manner of forms and of the days before. */
  async #search(type: IqStanza["type"], { form, fields }: Search): Promise<Answered> {
    const { domain, matrixPeople } = this.options;
    if (type === "get")
      return { result: writeSearch({ instructions: searchText, fields: { nick: "" }, form: searchForm }) };
    const wanted = (form ? valueIn(form, "nick") : undefined) ?? fields.nick ?? fields.first ?? fields.last ?? "";
    const found = await matrixPeople.search(wanted, mostFound);
    const rows = found.map(({ user, name }) => ({ jid: `${localOfUser(user)}@${domain}`, name }));
    if (form) return { result: writeSearch({ form: table(rows, ns.search) }) };
    return { result: writeSearch({ items: rows.map(({ jid, name }) => ({ jid, nick: name })) }) };
  }
}

const searchText =
  "Type a part of the name of a Matrix user. Only people who have spoken through this bridge are found.";

const searchForm = {
  type: "form",
  formType: ns.search,
  title: "Matrix users",
  instructions: [searchText],
  fields: [{ name: "nick", type: "text-single", label: "Name", values: [] }],
} as const;

const commandsInfo = {
  identities: [{ category: "automation", type: "command-list", name: "Matrix" }],
  features: [ns.commands, ns.forms],
  forms: [],
};
