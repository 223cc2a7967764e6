import { describe, expect, it } from "@jest/globals";
import {
  ChannelId,
  type ContentFor,
  defineConnector,
  type Limits,
  type LocationContent,
  type LoginSession,
  type MediaContent,
  type Network,
  type NetworkHandlers,
  type Outcome,
  refused,
  RemoteMessageId,
  RemoteUserId,
  RoomId,
  type TextContent,
  type TextOnly,
} from "@trestle/core";
import { richTextOf } from "@trestle/rich-text";
import { z } from "zod";

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

/** Does not compile where the two types differ. */
const same = <A, B>(_is: Same<A, B>): void => undefined;

/** Does not compile where a value is of another type. */
const exactly =
  <Expected>() =>
  <Actual>(_value: Actual, _is: Same<Expected, Actual>): void =>
    undefined;

const nothing = z.strictObject({});
const sent: Promise<Outcome> = Promise.resolve(undefined);
const body = richTextOf("hello");

/** What is said here is checked by the compiler: `npm run typecheck` fails where a line compiles that must not. */
describe("the types of the connector API", () => {
  it("give each handler the content that the limits allow", () => {
    same<ContentFor<TextOnly>, TextContent>(true);
    same<ContentFor<{ readonly textBytes: 400 }>, TextContent>(true);
    same<ContentFor<{ readonly media: true }>, TextContent | MediaContent>(true);
    same<ContentFor<{ readonly media: boolean }>, TextContent | MediaContent>(true);
    same<ContentFor<{ readonly media: false; readonly location: true }>, TextContent | LocationContent>(true);
    same<ContentFor<Limits>, TextContent | MediaContent | LocationContent>(true);
    expect.assertions(0);
  });

  it("infer them from what connect returns", () => {
    const connectors = [
      defineConnector({
        network: "no-limits",
        config: nothing,
        connect: () => ({
          message: ({ content }) => {
            exactly<TextContent>()(content, true);
            return sent;
          },
        }),
      }),
      defineConnector({
        network: "bytes",
        config: nothing,
        connect: () => ({
          limits: { textBytes: 400 },
          message: ({ content }) => {
            exactly<TextContent>()(content, true);
            return sent;
          },
        }),
      }),
      defineConnector({
        network: "files",
        config: nothing,
        async connect() {
          await Promise.resolve();
          return {
            limits: { media: true },
            split: ({ content }) => {
              exactly<TextContent | MediaContent>()(content, true);
              return [content.type];
            },
            message: ({ content }) => {
              exactly<TextContent | MediaContent>()(content, true);
              return sent;
            },
            findSent: ({ content }) => {
              exactly<TextContent | MediaContent>()(content, true);
              return Promise.resolve(null);
            },
          };
        },
      }),
    ];
    expect(connectors.map(({ network }) => network)).toEqual(["no-limits", "bytes", "files"]);
  });

  it("refuse a handler that does not take what the limits promise it", () => {
    class TakesText implements NetworkHandlers<TextOnly> {
      readonly message = (_: { readonly content: TextContent }): Promise<Outcome> => sent;
    }
    class TakesFiles implements NetworkHandlers<{ readonly media: true }> {
      readonly limits = { media: true } as const;
      // @ts-expect-error -- it is given files, too
      readonly message = (_: { readonly content: TextContent }): Promise<Outcome> => sent;
    }
    expect([new TakesText(), new TakesFiles()]).toHaveLength(2);
  });

  it("infer the configuration from its schema", () => {
    const connector = defineConnector({
      network: "configured",
      config: z.strictObject({ name: z.string().default("Parrot") }),
      connect: ({ config }) => {
        exactly<string>()(config.name, true);
        // @ts-expect-error -- the schema has no such key
        exactly<undefined>()(config.nmae, true);
        return { message: () => sent };
      },
    });
    expect(connector.config.parse({})).toEqual({ name: "Parrot" });
  });

  it("take an id of one kind for no other, and no bare string", () => {
    const use = async (network: Network, handlers: NetworkHandlers): Promise<void> => {
      const [id, channel, sender] = [RemoteMessageId("m1"), ChannelId("lobby"), { id: RemoteUserId("bob") }];
      const content: TextContent = { type: "text", style: "text", body };
      await network.receive({ kind: "message", id, channel, sender, content });
      // @ts-expect-error -- a string is no id of a message
      await network.receive({ kind: "message", id: "m1", channel, sender, content });
      // @ts-expect-error -- a room is no channel
      await network.receive({ kind: "message", id, channel: RoomId("!room"), sender, content });
      // @ts-expect-error -- the id of a message is not that of a person
      await network.receive({ kind: "message", id, channel, sender: { id }, content });
      // @ts-expect-error -- an edit names its target
      await network.receive({ kind: "edit", id, channel, sender, content });
      // @ts-expect-error -- there is no such kind
      await network.receive({ kind: "mesage", id, channel, sender, content });
      // @ts-expect-error -- a channel is no message
      await handlers.catchUp?.(channel, channel);
    };
    expect(use).toBeInstanceOf(Function);
  });

  it("take outcomes alone for answers", () => {
    const answers: Outcome[] = [undefined, {}, { id: RemoteMessageId("m1") }, refused("no such channel")];
    // @ts-expect-error -- an id stands in an object
    const bare: Outcome = RemoteMessageId("m1");
    // @ts-expect-error -- there is no such failure
    const unknown: Outcome = { failed: "perhaps", reason: "?" };
    // @ts-expect-error -- a failure has a reason
    const silent: Outcome = { failed: "retry" };
    expect([...answers, bare, unknown, silent]).toHaveLength(7);
  });

  it("know the answers of a login by the fields that were asked", () => {
    const login = async ({ ask }: LoginSession): Promise<string> => {
      const answers = await ask([{ id: "token", type: "token", label: "Token" }]);
      // @ts-expect-error -- nobody was asked for it
      exactly<undefined>()(answers.password, true);
      return answers.token;
    };
    expect(login).toBeInstanceOf(Function);
  });
});
