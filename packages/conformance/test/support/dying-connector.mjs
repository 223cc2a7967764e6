import { defineConnector } from "@trestle/core";
import { z } from "zod";

/** Leaves a promise to itself that rejects: what ends its process. */
export default defineConnector({
  network: "dying",
  config: z.object({}),
  connect: () => ({
    message: async () => {
      void Promise.reject(new Error("planted: nobody catches this"));
      return {};
    },
  }),
});
