import { z } from "zod";

export const configSchema = z.strictObject({
  url: z.url({ protocol: /^mqtts?$/ }).describe("The broker: mqtt://host:1883, or mqtts://host:8883 with TLS"),
  username: z.string().optional().describe("The broker's name for the bridge"),
  password: z.string().optional().describe("The password of that name"),
  clientId: z.optional(z.string().regex(/^[\w.-]{1,64}$/)).describe("Names the broker's session: for one bridge alone"),
});

export type MqttConfig = z.output<typeof configSchema>;
