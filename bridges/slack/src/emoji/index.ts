export { customEmojiOf, type CustomEmoji } from "./custom.js";
export { reactionKeyOf, reactionNameOf } from "./reactions.js";
export { emojiOfHex, emojiOfName, hexOfEmoji, nameOfEmoji, standardNames } from "./standard.js";
