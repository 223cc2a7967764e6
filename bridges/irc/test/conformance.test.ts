import { conformance } from "@trestle/conformance";
import { IrcFake } from "./support/irc-fake.js";

/** By its name: it runs in a process of its own, and a crash is SIGKILL. */
conformance("irc", new IrcFake(), { except: { "can.receipt": "IRC has nothing that says what was read" } });
