import { conformance } from "@trestle/conformance";
import { startEjabberd } from "../../../test/support/servers/ejabberd.js";
import { realServer } from "../../../test/support/servers/index.js";
import { needed, withoutCrashes, withoutReceipts, XmppFake } from "./support/xmpp-fake.js";

const ejabberd = await realServer("ejabberd");

// By its name: it runs in a process of its own.
ejabberd.describe("with ejabberd", (install) =>
  conformance("xmpp", new XmppFake(() => startEjabberd(install, needed)), {
    except: {
      ...withoutReceipts,
      ...withoutCrashes,
    },
  }),
);
