import { comesBackNote, otherRoomsNote, type LinkView } from "@trestle/core";
import type { Command } from "commander";
import { withCommonOptions } from "../options.js";
import type { CommonOptions } from "../options.js";
import { Output, printable } from "../output.js";
import { withRunning, withRunningOrStore } from "../services.js";

export function addLinks(program: Command): void {
  withCommonOptions(
    program
      .command("link")
      .description("link a room to a channel; Trestle must run and its bot be invited to the room")
      .argument("<bridge>", "the bridge's name in the configuration")
      .argument("<room>", "a room id or alias")
      .argument("<channel>", "the channel, as one types it on that network"),
  ).action(async (bridge: string, room: string, channel: string, options: CommonOptions) => {
    const link = await withRunning(options.config, (services) => services.link(bridge, room, channel, "operator"));
    const output = new Output(options.json ?? false);
    output.result(link, () =>
      output.line(
        `Linked ${printable(link.room)} to ${printable(link.channelName)} (${link.bridge}).${printable(otherRoomsNote(link))}`,
      ),
    );
  });
  withCommonOptions(
    program
      .command("unlink")
      .description("remove the links of a room, or only that to one channel; Trestle must run")
      .argument("<bridge>", "the bridge's name in the configuration")
      .argument("<room>", "a room id or alias")
      .argument("[channel]", "the channel"),
  ).action(async (bridge: string, room: string, channel: string | undefined, options: CommonOptions) => {
    const links = await withRunning(options.config, (services) => services.unlink(bridge, room, channel, "operator"));
    const output = new Output(options.json ?? false);
    output.result(links, () => {
      for (const link of links)
        output.line(
          `Removed the link of ${printable(link.room)} to ${printable(link.channelName)} (${link.bridge}).${comesBackNote([link])}`,
        );
    });
  });
  withCommonOptions(
    program.command("list").description("list the links").argument("[bridge]", "only those of this bridge"),
  ).action(async (bridge: string | undefined, options: CommonOptions) => {
    const links = await withRunningOrStore(options.config, (services) => services.list(bridge));
    const output = new Output(options.json ?? false);
    output.result(links, () => printLinks(output, links));
  });
}

function printLinks(output: Output, links: readonly LinkView[]): void {
  if (links.length === 0) {
    output.line("No room is linked. Link one with: trestle link <bridge> <room> <channel>");
    return;
  }
  output.table(
    ["BRIDGE", "ROOM", "CHANNEL", "KIND"],
    links.map((link) => [link.bridge, link.room, link.channelName, link.kind]),
  );
}
