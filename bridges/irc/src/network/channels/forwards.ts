import { type Network, type NetworkEvent, RemoteMessageId } from "@trestle/core";
import { channelIdOf } from "../ids.js";

/**
 * A channel sends whoever joins it to another one (470): its links follow, and the rooms are told. Both names are folded.
 */
export function followForward(
  core: Network,
  network: string,
  from: string,
  to: string,
  tell: (event: NetworkEvent) => void,
): void {
  const channel = channelIdOf(network, to);
  const notice = `${from} sends everybody to ${to}: this room is linked to ${to} now.`;
  const follow = async (): Promise<void> => {
    const links = await core.moveChannel(channelIdOf(network, from), channel);
    if (links.length === 0) return;
    tell({ kind: "channel", id: RemoteMessageId(`forward:${from}:${Date.now()}`), channel, notice });
  };
  follow().catch((error: unknown) => {
    core.log.error(
      { err: error, network, from, to },
      "a channel that sends its people elsewhere could not be followed",
    );
  });
}
