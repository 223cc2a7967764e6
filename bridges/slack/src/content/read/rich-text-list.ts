import type { Block, List, ListItem } from "@trestle/rich-text";
import { numberIn, recordsIn, textIn, type JsonRecord } from "../json.js";
import { append } from "./append.js";

interface OpenItem extends ListItem {
  readonly blocks: Block[];
}

interface OpenList extends List {
  readonly items: OpenItem[];
}

interface Level {
  readonly indent: number;
  readonly list: OpenList;
}

/** As many as Slack allows. */
const maxIndent = 8;

/**
 * Makes one list of the row of lists that Slack sends: one for each change of the indent, in which the number of items
 * before (`offset`) tells that a list goes on.
 */
export class ListReader {
  readonly blocks: Block[] = [];
  readonly #open: Level[] = [];

  /** @param levels how many quotes the list stands in */
  constructor(readonly levels: number) {}

  add(element: JsonRecord, read: (item: JsonRecord) => Block[]): void {
    const ordered = textIn(element, "style") === "ordered";
    const indent = Math.min(Math.max(Math.trunc(numberIn(element, "indent") ?? 0), 0), maxIndent);
    const offset = Math.max(Math.trunc(numberIn(element, "offset") ?? 0), 0);
    const items = recordsIn(element, "elements").map((item): OpenItem => ({ blocks: read(item) }));
    let nested = false;
    while ((this.#open.at(-1)?.indent ?? -1) > indent) {
      this.#open.pop();
      nested = true;
    }
    const same = this.#open.at(-1);
    if (same?.indent !== indent) {
      this.#begin(indent, ordered, offset, items);
    } else if (same.list.ordered === ordered && (nested || (offset > 0 && offset === countOf(same.list)))) {
      append(same.list.items, items);
    } else {
      this.#open.pop();
      this.#begin(indent, ordered, offset, items);
    }
  }

  #begin(indent: number, ordered: boolean, offset: number, items: OpenItem[]): void {
    const list: OpenList = { type: "list", ordered, ...(ordered && offset > 0 ? { start: offset + 1 } : {}), items };
    const parent = this.#open.at(-1)?.list;
    const into = parent === undefined ? this.blocks : parent.items.at(-1)?.blocks;
    (into ?? this.blocks).push(list);
    this.#open.push({ indent, list });
  }
}

/** The number of the last item. */
function countOf({ start = 1, items }: OpenList): number {
  return start - 1 + items.length;
}
