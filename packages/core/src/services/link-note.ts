import type { LinkView } from "./services.js";

/** What whoever removed links should know; begins with a space, and is empty where they stay removed. */
export function comesBackNote(removed: readonly LinkView[]): string {
  if (!removed.some(({ comesBack }) => comesBack === true)) return "";
  return " It is one of the links of the configuration, and is made again at the next start unless it is taken out there.";
}

/** What whoever made a link should know of the channel's other rooms; begins with a space, and is empty where there are none. */
export function otherRoomsNote({ channelName, otherRooms = 0 }: LinkView): string {
  if (otherRooms === 0) return "";
  const rooms = otherRooms === 1 ? "another room" : `${otherRooms} other rooms`;
  return ` ${channelName} is in ${rooms}, too: people on Matrix do not hear there what is said here, nor the other way round.`;
}
