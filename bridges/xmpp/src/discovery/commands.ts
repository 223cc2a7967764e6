import { randomUUID } from "node:crypto";
import type { MatrixPeople } from "../people/matrix-people.js";
import { localOfUser } from "../address/index.js";
import { ns } from "../content/index.js";
import {
  valueIn,
  writeCommandResponse,
  writeDiscoItems,
  type CommandNote,
  type CommandRequest,
  type CommandResponse,
  type DataForm,
} from "../protocol/index.js";
import { noSuchItem, type Answered } from "./answered.js";
import type { LinkActions } from "./link-actions.js";
import { addressOfTyped } from "./lookup.js";

/** A question of a command. */
interface Question {
  readonly name: string;
  readonly label: string;
  readonly required: boolean;
}

/** What was typed, by the names of the questions; the empty text where nothing was. */
export type Typed = (name: string) => string;

/** What comes of a command: a form, or something for the person. */
export type Outcome = DataForm | CommandNote;

/** A command (XEP-0050) of one step, or of none where it asks nothing. */
interface Command {
  readonly name: string;
  readonly instructions: string;
  readonly questions: readonly Question[];
  /** `asker` is a bare JID. */
  readonly run: (typed: Typed, asker: string) => Promise<Outcome>;
}

const mostFound = 50;

/**
 * The ad-hoc commands of the component: to find the address of a Matrix user or room, and people by name; and to link and
 * unlink rooms, as the commands in Matrix rooms do.
 */
export class Commands {
  readonly #commands: ReadonlyMap<string, Command>;

  constructor(
    private readonly domain: string,
    private readonly matrixPeople: MatrixPeople,
    links: LinkActions,
  ) {
    this.#commands = new Map([...this.#finding(), ...linking(links)]);
  }

  #finding(): readonly [string, Command][] {
    return [
      [
        "contact",
        {
          name: "Find the address of a Matrix user or room",
          instructions: "Type its id on Matrix, such as @alice:example.org or #chat:example.org, or a link to it.",
          questions: [{ name: "id", label: "Matrix id", required: true }],
          run: (typed) => Promise.resolve(this.#contact(typed("id"))),
        },
      ],
      [
        "search",
        {
          name: "Find a Matrix user by name",
          instructions: "Type a part of the name. Only people who have spoken through this bridge are found.",
          questions: [{ name: "text", label: "Name", required: true }],
          run: (typed) => this.#search(typed("text")),
        },
      ],
    ];
  }

  list(): Answered {
    const items = [...this.#commands].map(([node, { name }]) => ({ jid: this.domain, node, name }));
    return { result: writeDiscoItems({ node: ns.commands, items }) };
  }

  async step({ node, sessionId, action, form }: CommandRequest, asker: string): Promise<Answered> {
    const command = this.#commands.get(node);
    if (!command) return noSuchItem;
    const answer = (response: Omit<CommandResponse, "node" | "sessionId">): Answered => ({
      result: writeCommandResponse({ node, sessionId: sessionId ?? randomUUID(), ...response }),
    });
    if (action === "cancel") return answer({ status: "canceled" });
    const submitted = form?.type === "submit" ? form : undefined;
    const typed: Typed = (name) => (submitted && valueIn(submitted, name)?.trim()) ?? "";
    const { questions } = command;
    const isAnswered =
      submitted !== undefined && questions.every(({ name, required }) => !required || typed(name) !== "");
    if (questions.length > 0 && !isAnswered)
      return answer({ status: "executing", actions: ["complete"], execute: "complete", form: asking(command) });
    const outcome = await command.run(typed, asker);
    if ("text" in outcome) return answer({ status: "completed", notes: [outcome] });
    return answer({ status: "completed", form: outcome });
  }

  #contact(typed: string): Outcome {
    const found = addressOfTyped(typed, this.domain);
    if (found) return table([found]);
    return failed(`${typed.slice(0, 300)} is no Matrix id. Type one like @alice:example.org or #chat:example.org.`);
  }

  async #search(typed: string): Promise<Outcome> {
    const found = await this.matrixPeople.search(typed, mostFound);
    if (found.length === 0) return failed("Nobody of that name has spoken here.");
    return table(found.map(({ user, name }) => ({ jid: `${localOfUser(user)}@${this.domain}`, name })));
  }
}

/** The same as the commands that are typed in Matrix rooms. */
function linking(links: LinkActions): readonly [string, Command][] {
  const room = { name: "room", label: "XMPP room" };
  const matrix = { name: "matrix", label: "Matrix room", required: true };
  return [
    [
      "link",
      {
        name: "Link a Matrix room",
        instructions:
          "Type the address of a room of XMPP whose owner or admin you are, or nothing to make the Matrix room one that can be joined from XMPP; and the id or alias of the Matrix room, such as #chat:example.org. A moderator there is asked.",
        questions: [{ ...room, required: false }, matrix],
        run: (typed, asker) => links.link({ room: typed("room"), matrix: typed("matrix"), asker }),
      },
    ],
    [
      "unlink",
      {
        name: "Unlink a room from Matrix",
        instructions: "Type the address of a linked room of XMPP whose owner or admin you are.",
        questions: [{ ...room, required: true }],
        run: (typed, asker) => links.unlink({ room: typed("room"), asker }),
      },
    ],
    [
      "list",
      {
        name: "What is linked",
        instructions: "Type the address of a room of XMPP, or nothing for all Matrix rooms that anybody can join here.",
        questions: [{ ...room, required: false }],
        run: (typed, asker) => links.list({ room: typed("room"), asker }),
      },
    ],
    [
      "status",
      {
        name: "How the bridge is",
        instructions: "How the bridge is.",
        questions: [],
        run: () => links.status(),
      },
    ],
  ];
}

/** What a person is told who did not get what they wanted. */
export function failed(text: string): CommandNote {
  return { type: "error", text };
}

function asking({ name, instructions, questions }: Command): DataForm {
  return {
    type: "form",
    title: name,
    instructions: [instructions],
    fields: questions.map((question) => ({ ...question, type: "text-single", values: [] })),
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
