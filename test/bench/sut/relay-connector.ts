import { ChannelId, defineConnector, RemoteMessageId, RemoteUserId, type Network } from "@trestle/core";
import { z } from "zod";

let network: Network | undefined;

/**
 * A network of which every message comes back at once in another channel: one Matrix event in, one ghost message out.
 * It is idempotent, because the core drops what it receives a second time under the same id.
 */
export const relayConnector = defineConnector({
  network: "bench",
  config: z.strictObject({ idempotent: z.boolean() }),
  connect({ config, network: given }) {
    network = given;
    given.report({ connection: "bench", state: "connected" });
    return {
      idempotent: config.idempotent,
      message({ channel, content, author, event }) {
        const id = RemoteMessageId(event);
        // As on any network, what comes back is a stream of its own: the sender does not wait for it.
        void given.receive({
          kind: "message",
          id,
          channel: ChannelId(channel.replace("in", "out")),
          sender: { id: RemoteUserId(author.userId), name: author.name },
          content,
        });
        return Promise.resolve({ id });
      },
      findSent: () => Promise.resolve(null),
    };
  },
});

/** So many people enter the channel `out0` at once. */
export async function storm(people: number): Promise<void> {
  const given = network;
  if (!given) throw new Error("The network is not connected");
  await Promise.all(
    Array.from({ length: people }, (_, person) =>
      given.receive({
        kind: "membership",
        id: RemoteMessageId(`storm${person}`),
        channel: ChannelId("out0"),
        user: { id: RemoteUserId(`storm${person}`), name: `Person ${person}` },
        change: "join",
      }),
    ),
  );
}
