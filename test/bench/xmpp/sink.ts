import { component } from "@xmpp/component";
import { serve } from "../../tools/rpc.js";
import { Taken, sinkDomain, takerApi } from "./api.js";

const taken = new Taken();

// The bare library, which parses a stanza and hands it over: what any bridge over it costs at least.
serve(takerApi, {
  start: async ({ componentPort, secret }) => {
    const sink = component({ service: `xmpp://127.0.0.1:${componentPort}`, domain: sinkDomain, password: secret });
    sink.on("error", (error) => console.error(error));
    sink.on("stanza", (stanza) => {
      if (stanza.name === "message") taken.one();
    });
    await sink.start();
    return {};
  },
  begin: () => taken.begin(),
  taken: ({ count }) => taken.taken(count),
  stop: () => ({}),
});
