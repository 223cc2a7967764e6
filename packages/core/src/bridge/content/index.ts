export { contentOf, type MatrixMessage } from "./from-matrix.js";
export {
  matrixContentOf,
  splitForMatrix,
  type MatrixContentOptions,
  type MatrixEventContent,
  type MatrixEventDraft,
} from "./to-matrix.js";
export { relationOf, type Relation } from "./relation.js";
export { mentionsIn, type Mentions } from "./mentions.js";
export { jsonBytes, largestContent } from "./event-size.js";
