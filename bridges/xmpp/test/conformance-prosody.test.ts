import { conformance } from "@trestle/conformance";
import { realServer } from "../../../test/support/servers/index.js";
import { startProsody } from "../../../test/support/servers/prosody.js";
import { needed, withoutReceipts, XmppFake } from "./support/xmpp-fake.js";

const prosody = await realServer("prosody");

// By its name: it runs in a process of its own, and a crash is SIGKILL.
prosody.describe("with Prosody", (install) =>
  conformance("xmpp", new XmppFake(() => startProsody(install, needed)), { except: withoutReceipts }),
);
