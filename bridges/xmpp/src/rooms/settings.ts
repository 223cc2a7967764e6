import { randomUUID } from "node:crypto";
import { RemoteMessageId, type ChannelId, type ChannelSettings, type Network } from "@trestle/core";
import type { FormField, RoomInfo } from "../protocol/index.js";

/** How a room is set, in the words of the core. */
export function settingsOf(info: RoomInfo): ChannelSettings {
  return {
    moderated: info.isModerated,
    inviteOnly: info.isMembersOnly,
    keyed: info.hasPassword,
    secret: info.isHidden,
    ...(info.canChangeSubject !== undefined && { topicLocked: !info.canChangeSubject }),
  };
}

/** The fields of a room's configuration (XEP-0045 §16.5.3) that make it so; those that are left out stay as they are. */
export function fieldsOf({ moderated, inviteOnly, topicLocked }: ChannelSettings): readonly FormField[] {
  const field = (name: string, value: boolean | undefined): readonly FormField[] =>
    value === undefined ? [] : [{ name: `muc#roomconfig_${name}`, values: [value ? "1" : "0"] }];
  return [
    ...field("moderatedroom", moderated),
    // In moderated rooms of ejabberd everybody has a voice where nobody says otherwise.
    ...(moderated === true ? [{ name: "members_by_default", values: ["0"] }] : []),
    ...field("membersonly", inviteOnly),
    ...field("changesubject", topicLocked === undefined ? undefined : !topicLocked),
  ];
}

/** How a room is set, as Matrix was told it last: what is as it was is not told again. */
export class ToldSettings {
  #told: string | undefined;

  constructor(
    private readonly network: Network,
    private readonly channel: ChannelId,
    private readonly key: string,
  ) {}

  async load(): Promise<void> {
    this.#told = await this.network.storage.get(this.key);
  }

  async forget(): Promise<void> {
    await this.network.storage.delete(this.key);
  }

  async tell(settings: ChannelSettings): Promise<void> {
    if (Object.keys(settings).length > 0 && JSON.stringify(settings) !== this.#told) await this.insist(settings);
  }

  /** Also where that was told before: somebody there wants it otherwise, or has not heard it. */
  async insist(settings: ChannelSettings): Promise<void> {
    const { network, channel, key } = this;
    const told = JSON.stringify(settings);
    this.#told = told;
    await network.receive({ kind: "channel", id: RemoteMessageId(`settings:${randomUUID()}`), channel, settings });
    await network.storage.set(key, told);
  }
}
