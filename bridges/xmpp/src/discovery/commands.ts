import { randomUUID } from "node:crypto";
import type { MatrixPeople } from "../people/matrix-people.js";
import { localOfUser } from "../address/index.js";
import { ns } from "../content/index.js";
import {
  valueIn,
  writeCommandResponse,
  writeDiscoItems,
  type CommandRequest,
  type CommandResponse,
  type DataForm,
} from "../protocol/index.js";
import { noSuchItem, type Answered } from "./answered.js";
import { addressOfTyped } from "./lookup.js";

/** A command (XEP-0050) with one question. */
interface Command {
  readonly name: string;
  readonly instructions: string;
  readonly field: { readonly name: string; readonly label: string };
  /** What comes of it; a text is why nothing does. */
  readonly run: (typed: string) => Promise<DataForm | string>;
}

const mostFound = 50;

/** The ad-hoc commands of the component: to find the address of a Matrix user or room, and people by name. */
export class Commands {
  readonly #commands: ReadonlyMap<string, Command>;

  constructor(
    private readonly domain: string,
    private readonly matrixPeople: MatrixPeople,
  ) {
    this.#commands = new Map([
      [
        "contact",
        {
          name: "Find the address of a Matrix user or room",
          instructions: "Type its id on Matrix, such as @alice:example.org or #chat:example.org, or a link to it.",
          field: { name: "id", label: "Matrix id" },
          run: (typed) => Promise.resolve(this.#contact(typed)),
        },
      ],
      [
        "search",
        {
          name: "Find a Matrix user by name",
          instructions: "Type a part of the name. Only people who have spoken through this bridge are found.",
          field: { name: "text", label: "Name" },
          run: (typed) => this.#search(typed),
        },
      ],
    ]);
  }

  list(): Answered {
    const items = [...this.#commands].map(([node, { name }]) => ({ jid: this.domain, node, name }));
    return { result: writeDiscoItems({ node: ns.commands, items }) };
  }

  async step({ node, sessionId, action, form }: CommandRequest): Promise<Answered> {
    const command = this.#commands.get(node);
    if (!command) return noSuchItem;
    const answer = (response: Omit<CommandResponse, "node" | "sessionId">): Answered => ({
      result: writeCommandResponse({ node, sessionId: sessionId ?? randomUUID(), ...response }),
    });
    if (action === "cancel") return answer({ status: "canceled" });
    const typed = form?.type === "submit" ? (valueIn(form, command.field.name)?.trim() ?? "") : "";
    if (typed === "")
      return answer({ status: "executing", actions: ["complete"], execute: "complete", form: asking(command) });
    const outcome = await command.run(typed);
    if (typeof outcome !== "string") return answer({ status: "completed", form: outcome });
    return answer({ status: "completed", notes: [{ type: "error", text: outcome }] });
  }

  #contact(typed: string): DataForm | string {
    const found = addressOfTyped(typed, this.domain);
    if (!found) return `${typed.slice(0, 300)} is no Matrix id. Type one like @alice:example.org or #chat:example.org.`;
    return table([found]);
  }

  async #search(typed: string): Promise<DataForm | string> {
    const found = await this.matrixPeople.search(typed, mostFound);
    if (found.length === 0) return `Nobody of that name has spoken here.`;
    return table(found.map(({ user, name }) => ({ jid: `${localOfUser(user)}@${this.domain}`, name })));
  }
}

function asking({ name, instructions, field }: Command): DataForm {
  return {
    type: "form",
    title: name,
    instructions: [instructions],
    fields: [{ ...field, type: "text-single", required: true, values: [] }],
  };
}

/** A table of addresses. */
export function table(rows: readonly { readonly jid: string; readonly name: string }[], formType?: string): DataForm {
  return {
    type: "result",
    ...(formType !== undefined && { formType }),
    fields: [],
    reported: [
      { name: "jid", label: "Address", type: "jid-single", values: [] },
      { name: "name", label: "Name", type: "text-single", values: [] },
    ],
    items: rows.map(({ jid, name }) => [
      { name: "jid", values: [jid] },
      { name: "name", values: [name] },
    ]),
  };
}
