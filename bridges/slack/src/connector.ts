import { defineConnector, type ChannelId, type NetworkHandlers } from "@trestle/core";
import { Channels } from "./channels/channels.js";
import { configSchema } from "./config.js";
import { examineSlack } from "./doctor/doctor.js";
import { Files } from "./files/files.js";
import { channelIdOf, placeOf } from "./ids.js";
import { Inward } from "./inward/inward.js";
import { SlackLink } from "./link/index.js";
import { Outward } from "./outward/outward.js";
import { OwnReactions } from "./outward/own-reactions.js";
import { People } from "./people/people.js";
import { LinkedChannels } from "./channels/linked-channels.js";

/** The Slack bridge, as `connector: slack` of a configuration names it. */
export const slackConnector = defineConnector({
  network: "slack",
  displayName: "Slack",
  config: configSchema,
  doctor: examineSlack,
  async connect({ config, network }) {
    const linked = new LinkedChannels();
    const link = new SlackLink(
      { config, network },
      {
        wants: (team, channel, event) =>
          channel === undefined || linked.wants(channelIdOf({ team, channel }), event.type),
      },
    );
    const { installations } = link;
    const people = new People(network.log);
    const channels = new Channels(installations, config);
    const ownReactions = new OwnReactions();
    const files = new Files(installations, link.transport, config.apiUrl);
    const inward = new Inward({
      log: network.log,
      people,
      channels,
      ownReactions,
      anyChannel: (team) => linked.anyOf(team),
    });
    const outward = new Outward({
      link,
      network,
      config,
      files,
      ownReactions,
      write: { config, slackUserOf: () => undefined },
      puppet: () => Promise.resolve(undefined),
    });
    link.app.use(async ({ context, body, next }) => {
      if ("event" in body) await inward.event(context.making, body.event);
      await next();
    });
    const enter = async (id: ChannelId): Promise<void> => {
      const place = placeOf(id);
      const workspace = place && installations.get(place.team);
      if (!place || !workspace) return;
      const entered = await channels.enter(workspace, place.channel);
      if (!entered.ok)
        network.log.warn(
          { channel: id, reason: entered.reason },
          "The bot could not enter a linked channel; where it is private, invite it there",
        );
    };
    await link.start();
    const handlers: NetworkHandlers = {
      limits: { media: true, replies: true },
      split: (message) => outward.split(message),
      message: (effect) => outward.message(effect),
      findSent: (effect) => outward.findSent(effect),
      edit: (effect) => outward.edit(effect),
      redact: (effect) => outward.redact(effect),
      react: (effect) => outward.react(effect),
      unreact: (effect) => outward.unreact(effect),
      topic: (effect) => outward.topic(effect),
      interpret: (raw) => link.interpret(raw),
      catchUp: (channel) => link.catchUp(channel),
      resolveChannel: (text) => channels.resolve(text),
      openMedia: (reference) => files.open(reference),
      async linked(found) {
        linked.add(found.channel);
        await link.linked(found);
        // Slack may take its time; until the bot is in, nothing comes from there.
        enter(found.channel).catch((error: unknown) => network.log.error({ err: error }, "Entering a channel failed"));
      },
      async unlinked(gone) {
        linked.remove(gone.channel);
        await link.unlinked(gone);
      },
      close: () => link.close(),
    };
    return handlers;
  },
});
