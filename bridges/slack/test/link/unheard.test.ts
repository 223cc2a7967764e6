import { expect, it } from "@jest/globals";
import { pino } from "pino";
import { mostAsked, Unheard, type Listener } from "../../dist/link/gaps/unheard.js";
import type { Workspace } from "../../dist/link/index.js";

interface Asked {
  readonly method: string;
  readonly arguments: { readonly channel?: string; readonly oldest?: string; readonly cursor?: string };
}

/** Somebody with so many conversations, the later ones newer; in those of `news` something was said. */
function listening(count: number, news: readonly string[], since = 0) {
  const asked: Asked[] = [];
  const opened: [string, number | undefined][] = [];
  const followed = new Set<string>();
  const heard: string[] = [];
  const ids = Array.from({ length: count }, (_, i) => `D${i}`);
  const answer = ({ method, arguments: given }: Asked) => {
    if (method === "conversations.history")
      return { messages: news.includes(given.channel ?? "") ? [{ ts: "60.0", text: "psst" }] : [] };
    const from = Number(given.cursor ?? 0);
    return {
      channels: ids.slice(from, from + 200).map((id, i) => ({ id, created: from + i })),
      response_metadata: { next_cursor: from + 200 < count ? String(from + 200) : "" },
    };
  };
  const workspace: Pick<Workspace, "call"> = {
    call: (request) => {
      const made = { method: request.method, arguments: request.arguments ?? {} };
      asked.push(made);
      return Promise.resolve({ ok: true, body: request.answer.parse({ ok: true, ...answer(made) }) });
    },
  };
  const listener: Listener = {
    workspace: workspace as Workspace,
    team: "T1",
    user: "U1",
    since,
    hears: (channel) => Promise.resolve(void heard.push(channel)),
  };
  const openings = {
    since: 50_000 as number | undefined,
    open: (team: string, id: string, _: unknown, from?: number) => {
      opened.push([`${team}/${id}`, from]);
      followed.add(`${team}/${id}`);
      return undefined;
    },
  };
  const unheard = new Unheard({
    listeners: () => [listener],
    openings,
    repairs: { follows: (channel) => followed.has(channel) },
    profile: "internal",
    log: pino({ level: "silent" }),
  });
  const histories = () => asked.filter(({ method }) => method === "conversations.history");
  return { unheard, openings, opened, heard, followed, asked, histories };
}

it("opens what has news, from when Slack was heard last", async () => {
  const { unheard, opened, heard, followed, histories } = listening(4, ["D1", "D2"]);
  followed.add("T1/D2");
  unheard.want();
  await unheard.idle();
  expect(opened).toEqual([["T1/D1", 50_000]]);
  expect(heard).toEqual(["T1/D1"]);
  expect(histories().map(({ arguments: { channel, oldest } }) => [channel, Number(oldest)])).toEqual([
    ["D3", 50],
    ["D1", 50],
    ["D0", 50],
  ]);
});

it("asks for nothing from before somebody signed in", async () => {
  const { unheard, histories } = listening(1, [], 90_000);
  unheard.want();
  await unheard.idle();
  expect(histories().map(({ arguments: { oldest } }) => Number(oldest))).toEqual([90]);
});

it("asks once for an outage, and again for the next", async () => {
  const { unheard, openings, histories } = listening(2, []);
  unheard.want();
  unheard.want();
  await unheard.idle();
  unheard.want();
  await unheard.idle();
  expect(histories()).toHaveLength(2);
  openings.since = 70_000;
  unheard.want();
  await unheard.idle();
  expect(histories()).toHaveLength(4);
});

it("asks for the newest only, where they are many", async () => {
  const { unheard, histories } = listening(450, []);
  unheard.want();
  await unheard.idle();
  expect(histories()).toHaveLength(mostAsked.internal);
  expect(histories()[0]?.arguments.channel).toBe("D449");
});

it("asks for nothing before Slack was ever heard, or once it is closed", async () => {
  const { unheard, openings, asked } = listening(2, []);
  openings.since = undefined;
  unheard.want();
  await unheard.close();
  openings.since = 50_000;
  unheard.want();
  await unheard.idle();
  expect(asked).toEqual([]);
});
