export { ComponentStream, type ComponentStreamOptions } from "./component-stream.js";
export {
  defaultTuning,
  ReconnectingStream,
  type ConnectionListener,
  type Ended,
  type StreamConnection,
  type StreamOptions,
  type StreamTuning,
} from "./reconnecting-stream.js";
export type { ComponentAddress } from "./connection.js";
export { xml, type Child, type Element } from "./element.js";
export type { StanzaHandler } from "./intake.js";
export type { Answer } from "./requests.js";
export { legalXmlText, serialise, type OutputLimits } from "./serialise.js";
export { errorElement, failureOf, isPassing, stanzaErrorOf, type StanzaError } from "./stanza-error.js";
export type { RequestOptions, StreamState, XmppStream } from "./stream.js";
