import type { Content, MediaContent, TextContent } from "@trestle/core";
import type { RichText } from "@trestle/rich-text";
import { writeText, type SlackMention, type WriteOptions } from "../content/index.js";
import type { SlackConfig } from "../config.js";
import { placeOf } from "../ids.js";
import { userOf } from "../people/remote-user.js";
import type { Wire, WireText } from "./wire.js";

export interface WriteParts {
  readonly config: Pick<SlackConfig, "mentionRoom">;
  /** Who a Matrix user is in Slack, where they signed in. */
  readonly slackUserOf: (userId: string, team: string) => string | undefined;
  /** Whether the workspace has an emoji of its own by this name, as far as that is known. */
  readonly hasEmoji?: (team: string, name: string) => boolean;
}

/** Cuts what a Matrix user said into messages for Slack. */
export function wiresOf(parts: WriteParts, team: string, content: Content): readonly Wire[] {
  switch (content.type) {
    case "text":
      return textsOf(parts, team, content.body, content.style);
    case "media":
      return content.source.from === "matrix" ? fileOf(parts, team, content, content.source.uri) : [];
    case "location":
      return [];
  }
}

function fileOf(parts: WriteParts, team: string, content: MediaContent, uri: string): readonly Wire[] {
  const { name, mimeType, caption } = content;
  const [first, ...rest] = caption ? textsOf(parts, team, caption, "text") : [];
  const file: Wire = {
    kind: "file",
    uri,
    name,
    ...(mimeType !== undefined && { mimeType }),
    ...(first && { caption: first }),
  };
  return [file, ...rest];
}

export function textsOf(parts: WriteParts, team: string, body: RichText, style: TextContent["style"]): WireText[] {
  const { hasEmoji, config } = parts;
  const { mentionRoom } = config;
  const options: WriteOptions = {
    style,
    mention: (target) => mentionOf(parts, team, target),
    ...(hasEmoji && { hasEmoji: (name) => hasEmoji(team, name) }),
    ...(mentionRoom !== "none" && { everyone: mentionRoom }),
  };
  return writeText(body, options).map(({ text, blocks }) => ({
    kind: "text",
    text,
    blocks: blocks.map((block) => ({ ...block })),
  }));
}

type Target = Parameters<NonNullable<WriteOptions["mention"]>>[0];

function mentionOf({ slackUserOf }: WriteParts, team: string, target: Target): SlackMention | undefined {
  switch (target.kind) {
    case "remoteUser": {
      const user = userOf(target.id);
      return user && { kind: "user", id: user.id };
    }
    case "remoteChannel": {
      const place = placeOf(target.id);
      return place && { kind: "channel", id: place.channel };
    }
    case "matrixUser": {
      const id = slackUserOf(target.userId, team);
      return id === undefined ? undefined : { kind: "user", id };
    }
    case "matrixRoom":
      return undefined;
  }
}
