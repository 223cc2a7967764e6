import { accountCases } from "./cases/accounts.js";
import { applicationServiceCases } from "./cases/application-service.js";
import { deliveryCases } from "./cases/delivery.js";
import { eventCases } from "./cases/events.js";
import { membershipCases } from "./cases/membership.js";
import { readingCases } from "./cases/reading.js";
import { roomCases } from "./cases/rooms.js";
import type { Stage } from "./stage.js";

/** What happens in a case; it throws where a side does not keep the contract. */
export type Case = readonly [title: string, run: (stage: Stage) => Promise<void>];

/** The contract: what the homeserver of the test kit and Synapse have in common. */
export const cases: readonly Case[] = [
  ...accountCases,
  ...roomCases,
  ...membershipCases,
  ...eventCases,
  ...readingCases,
  ...applicationServiceCases,
  ...deliveryCases,
];
