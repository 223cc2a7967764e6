/** Matrix rooms as rooms of the component's own: what clients of XMPP join (XEP-0045). */
export { Gateway, type GatewayOptions } from "./gateway.js";
export { defaultGatewayTuning, type GatewayTuning } from "./tuning.js";
