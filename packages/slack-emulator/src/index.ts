/** A Slack to run tests against. @packageDocumentation */
export { SlackEmulator } from "./emulator.js";
export type {
  AppOptions,
  ChannelOptions,
  InstallOptions,
  SlackEmulatorOptions,
  UserOptions,
  WorkspaceOptions,
} from "./options.js";
export { usualBotScopes, usualUserScopes } from "./options.js";
export { Workspace } from "./people/workspace.js";
export { Person } from "./people/person.js";
export type { Posted, PostOptions, UploadedFile } from "./people/person.js";
export { ChannelHandle } from "./people/channel-handle.js";
export type { SeenMessage } from "./people/channel-handle.js";
export type { CommandOutcome } from "./events/commands.js";
export type { Decision } from "./people/app-handle.js";
export { AppHandle } from "./people/app-handle.js";
export type { WaitOptions } from "./people/wait.js";
export { Clock } from "./clock.js";
export type { ClockMode, Timer } from "./clock.js";
export { Faults } from "./faults/faults.js";
export type { ApiFault } from "./faults/api-faults.js";
export type { EventFault } from "./faults/event-faults.js";
export type { ActiveFault, Frequency } from "./faults/rule.js";
export type { ApiCall } from "./http/call-log.js";
export type { DeliveryRecord, FailureReason } from "./events/delivery.js";
export type { DisconnectReason } from "./socket/connection.js";
export type { Ephemeral } from "./state/channels.js";
export type { Profile } from "./state/people.js";
export type { Json, JsonObject } from "./json.js";
