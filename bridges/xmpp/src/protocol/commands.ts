import { given } from "../content/given.js";
import { ns } from "../content/namespaces.js";
import {
  attributeOf,
  element,
  elementsOf,
  filledAttributeOf,
  localName,
  ownChildOf,
  ownChildrenOf,
  textOf,
  type XmlElement,
} from "../content/xml.js";
import { formIn, writeForm, type DataForm } from "./forms.js";

export const commandActions = ["execute", "cancel", "complete", "next", "prev"] as const;
export type CommandAction = (typeof commandActions)[number];

/** A step of a command (XEP-0050) that somebody takes. */
export interface CommandRequest {
  readonly node: string;
  /** Absent at the first step. */
  readonly sessionId?: string;
  readonly action: CommandAction;
  readonly form?: DataForm;
}

/** What a step led to. */
export interface CommandResponse {
  readonly node: string;
  readonly sessionId: string;
  readonly status: "executing" | "completed" | "canceled";
  /** What can be done next, besides `cancel`. */
  readonly actions?: readonly ("prev" | "next" | "complete")[];
  /** What `execute` stands for; the last of `next` and `complete` that is possible where absent. */
  readonly execute?: "prev" | "next" | "complete";
  readonly notes?: readonly CommandNote[];
  readonly form?: DataForm;
}

/** Something to tell the user. */
export interface CommandNote {
  readonly type: "info" | "warn" | "error";
  readonly text: string;
}

/** Reads what somebody wants of a command; `undefined` where it does not say which, or wants what does not exist. */
export function readCommandRequest(command: XmlElement): CommandRequest | undefined {
  const node = filledAttributeOf(command, "node");
  const wanted = attributeOf(command, "action") ?? "execute";
  const action = commandActions.find((name) => name === wanted);
  if (node === undefined || action === undefined) return undefined;
  return given({ node, sessionId: filledAttributeOf(command, "sessionid"), action, form: formIn(command) });
}

/** Writes what one wants of a command. */
export function writeCommandRequest({ node, sessionId, action, form }: CommandRequest): XmlElement {
  return element("command", { xmlns: ns.commands, node, sessionid: sessionId, action }, form && writeForm(form));
}

const statuses = ["executing", "completed", "canceled"] as const;
const steps = ["prev", "next", "complete"] as const;
const noteTypes = ["info", "warn", "error"] as const;

/** Reads what a command answers; `undefined` where it does not say of which, or how it stands. */
export function readCommandResponse(command: XmlElement): CommandResponse | undefined {
  const [node, sessionId] = [filledAttributeOf(command, "node"), filledAttributeOf(command, "sessionid")];
  const status = statuses.find((name) => name === attributeOf(command, "status"));
  if (node === undefined || sessionId === undefined || status === undefined) return undefined;
  const actions = ownChildOf(command, "actions");
  const names = actions === undefined ? [] : elementsOf(actions).map(localName);
  return given({
    node,
    sessionId,
    status,
    actions: actions && steps.filter((step) => names.includes(step)),
    execute: steps.find((step) => actions !== undefined && step === attributeOf(actions, "execute")),
    notes: notesIn(command),
    form: formIn(command),
  });
}

function notesIn(command: XmlElement): readonly CommandNote[] | undefined {
  const notes = ownChildrenOf(command, "note").map((note) => ({
    type: noteTypes.find((type) => type === attributeOf(note, "type")) ?? "info",
    text: textOf(note),
  }));
  return notes.length === 0 ? undefined : notes;
}

/** Writes what a command answers. */
export function writeCommandResponse(response: CommandResponse): XmlElement {
  const { node, sessionId, status, actions, execute, notes = [], form } = response;
  return element(
    "command",
    { xmlns: ns.commands, node, sessionid: sessionId, status },
    actions &&
      element("actions", { execute }, ...steps.filter((step) => actions.includes(step)).map((step) => element(step))),
    ...notes.map(({ type, text }) => element("note", { type }, text)),
    form && writeForm(form),
  );
}
