import { pathToFileURL } from "node:url";
import { inRepository } from "../../tools/paths.js";
import { serve } from "../../tools/rpc.js";
import { holderApi, weigh } from "./api.js";

/** The holder as the bridge starts it, with the same arguments, that can be weighed besides. */
serve(holderApi, { weigh });
await import(pathToFileURL(inRepository("bridges/irc/dist/holder/main.js")).href);
