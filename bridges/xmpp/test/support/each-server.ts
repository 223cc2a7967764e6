import { startEjabberd } from "../../../../test/support/servers/ejabberd.js";
import { realServers } from "../../../../test/support/servers/index.js";
import { startProsody } from "../../../../test/support/servers/prosody.js";
import type { SlixmppInstall } from "../../../../test/support/servers/slixmpp.js";
import type { XmppServer } from "../../../../test/support/servers/xmpp-server.js";

/** What a test does: `install` are the clients, `start` starts the server, with the users on it. */
export type Behaviour = (install: SlixmppInstall, start: () => Promise<XmppServer>) => void;

/**
 * Tests that hold with Prosody and with ejabberd: each where it is installed, skipped with a printed reason where not.
 * `$server` in the title stands for the server.
 */
export async function onEachServer(title: string, users: readonly string[], behaviour: Behaviour): Promise<void> {
  const prosody = await realServers("prosody", "slixmpp");
  const ejabberd = await realServers("ejabberd", "slixmpp");
  prosody.describe(title.replace("$server", "Prosody"), (installs) =>
    behaviour(installs.slixmpp, () => startProsody(installs.prosody, { users })),
  );
  ejabberd.describe(title.replace("$server", "ejabberd"), (installs) =>
    behaviour(installs.slixmpp, () => startEjabberd(installs.ejabberd, { users })),
  );
}
