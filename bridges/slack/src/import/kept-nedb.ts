import { join } from "node:path";
import { readNedb } from "@trestle/core";
import { recordIn, textIn, type JsonRecord } from "../content/json.js";
import type { Kept, KeptAccount, KeptEvent, KeptGhost, KeptReaction, KeptRoom, KeptTeam } from "./kept.js";
import { accountsOf, ghostOf, hasThread, roomOf, teamOf } from "./kept-documents.js";

const files = { rooms: "room-store.db", users: "user-store.db", events: "event-store.db", teams: "teams.db" } as const;
/** The document of a link; other documents in the file are of an older library. */
const linkId = /^INTEG-/;

/** The NeDB files of matrix-appservice-slack, in its `dbdir`. Reactions were never kept in them. */
export class KeptInNedb implements Kept {
  readonly unreadable = new Map<string, number>();

  private constructor(readonly directory: string) {}

  /** @throws Error where the files are not there */
  static async open(directory: string): Promise<KeptInNedb> {
    const kept = new KeptInNedb(directory);
    if (!(await readNedb(join(directory, files.rooms))))
      throw new Error(
        `There is no ${files.rooms} in ${directory}: give the directory that dbdir names in the configuration of matrix-appservice-slack, or the URL of its PostgreSQL database (postgres://user@host/database).`,
      );
    return kept;
  }

  async *teams(): AsyncIterable<KeptTeam> {
    yield* this.#each(files.teams, teamOf);
  }

  async *rooms(): AsyncIterable<KeptRoom> {
    const isLink = (document: JsonRecord): boolean => linkId.test(textIn(document, "id") ?? "");
    yield* this.#each(
      files.rooms,
      (document) => roomOf(textIn(document, "matrix_id"), textIn(document, "remote_id"), document["remote"]),
      isLink,
    );
  }

  async *ghosts(): AsyncIterable<KeptGhost> {
    const isGhost = (document: JsonRecord): boolean => textIn(document, "type") !== "matrix";
    yield* this.#each(files.users, (document) => ghostOf(textIn(document, "id"), document), isGhost);
  }

  async *accounts(): AsyncIterable<KeptAccount> {
    const isPerson = (document: JsonRecord): boolean => textIn(document, "type") === "matrix";
    for await (const found of this.#each(files.users, (each) => accountsOf(textIn(each, "id"), each), isPerson))
      yield* found;
  }

  async *events(): AsyncIterable<KeptEvent> {
    const rest: KeptEvent[] = [];
    for await (const { first, ...event } of this.#each(files.events, eventOf)) {
      if (first) yield event;
      else rest.push(event);
    }
    yield* rest;
  }

  // eslint-disable-next-line require-yield, @typescript-eslint/require-await -- there are none
  async *reactions(): AsyncIterable<KeptReaction> {
    return;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async *#each<Found>(
    name: string,
    read: (document: JsonRecord) => Found | undefined,
    wanted: (document: JsonRecord) => boolean = () => true,
  ): AsyncIterable<Found> {
    const content = await readNedb(join(this.directory, name));
    let unreadable = content?.unreadable ?? 0;
    for (const document of content?.documents.values() ?? []) {
      if (!wanted(document)) continue;
      const found = read(document);
      if (found === undefined) unreadable += 1;
      else yield found;
    }
    if (unreadable > 0) this.unreadable.set(`a line of ${name}`, unreadable);
  }
}

function eventOf(document: JsonRecord): (KeptEvent & { readonly first: boolean }) | undefined {
  const [matrix, remote] = [recordIn(document, "matrix"), recordIn(document, "remote")];
  const room = matrix && textIn(matrix, "roomId");
  const event = matrix && textIn(matrix, "eventId");
  const channel = remote && textIn(remote, "roomId");
  const ts = remote && textIn(remote, "eventId");
  if (room === undefined || event === undefined || channel === undefined || ts === undefined) return undefined;
  return { room, event, channel, ts, first: hasThread(document["extras"]) };
}
