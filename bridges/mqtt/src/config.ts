import { z } from "zod";

export const configSchema = z.strictObject({
  url: z.url({ protocol: /^mqtts?$/ }).describe("The broker: mqtt://host:1883, or mqtts://host:8883 with TLS"),
  username: z.string().optional().describe("The broker's name for the bridge"),
  password: z.string().optional().describe("The password of that name"),
  clientId: z
    .string()
    .regex(/^[\w.-]{1,64}$/)
    .optional()
    .describe("Names the session that the broker keeps for the bridge; two bridges must not share it"),
});

export type MqttConfig = z.output<typeof configSchema>;
