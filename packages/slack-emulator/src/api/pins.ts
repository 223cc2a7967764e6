import { z } from "zod";
import { pin, pinned, pinView, unpin } from "../actions/pins.js";
import { optionalText } from "./args.js";
import { SlackError } from "./error.js";
import { channelFor, messageIn, requireMember, requireUnarchived } from "./lookup.js";
import { type Method, method } from "./method.js";

const item = z.object({ channel: optionalText, timestamp: optionalText });

/** pins.* */
export const pinMethods: readonly Method[] = [
  method("pins.add", ["pins:write"], item, (caller, args) => {
    const channel = channelFor(caller, args.channel);
    requireUnarchived(channel);
    requireMember(caller, channel);
    if (!pin(caller.world, channel, messageIn(channel, args.timestamp), caller.user))
      throw new SlackError("already_pinned");
    return {};
  }),
  method("pins.remove", ["pins:write"], item, (caller, args) => {
    const channel = channelFor(caller, args.channel);
    requireMember(caller, channel);
    if (!unpin(caller.world, channel, messageIn(channel, args.timestamp), caller.user)) throw new SlackError("no_pin");
    return {};
  }),
  method("pins.list", ["pins:read"], z.object({ channel: optionalText }), (caller, args) => {
    const channel = channelFor(caller, args.channel);
    if (channel.kind !== "public") requireMember(caller, channel);
    return { items: pinned(channel).map((message) => pinView(caller.world, channel, message, caller.team.id)) };
  }),
];
