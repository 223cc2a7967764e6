/** The Trestle bridge to XMPP. @packageDocumentation */
export { xmppConnector as default, xmppConnector, type XmppLimits } from "./connector.js";
export { configSchema, type XmppConfig } from "./config.js";
