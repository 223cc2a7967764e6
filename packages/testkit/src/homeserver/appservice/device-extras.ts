import type { Accounts } from "../accounts/accounts.js";
import { oneTimeKeyCounts, unusedFallbackKeyTypes } from "../accounts/device-keys.js";
import type { JsonObject } from "../json.js";
import type { AppService } from "./service.js";
import type { DeviceExtras } from "./transaction.js";

/** Key counts of the devices of the application service's own users, by user and device (MSC3202). */
export function deviceExtras(accounts: Accounts, service: AppService): DeviceExtras {
  return (users) => {
    const oneTimeKeys: JsonObject = {};
    const fallbackKeys: JsonObject = {};
    for (const userId of users) {
      if (!service.ownsUser(userId)) continue;
      const devices = [...(accounts.get(userId)?.devices.values() ?? [])];
      oneTimeKeys[userId] = Object.fromEntries(devices.map((device) => [device.deviceId, oneTimeKeyCounts(device)]));
      fallbackKeys[userId] = Object.fromEntries(
        devices.map((device) => [device.deviceId, unusedFallbackKeyTypes(device)]),
      );
    }
    return { oneTimeKeyCounts: oneTimeKeys, unusedFallbackKeys: fallbackKeys };
  };
}
