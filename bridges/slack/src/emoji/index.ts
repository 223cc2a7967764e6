export { customEmojiOf, type CustomEmoji } from "./custom.js";
export { baseNameOf, reactionKeyOf, reactionNameOf } from "./reactions.js";
export { emojiOfHex, emojiOfName, hexOfEmoji, nameOfEmoji, standardNames } from "./standard.js";
export { isCustomName, namesEmoji, WorkspaceEmoji, type ShownEmoji } from "./workspace-emoji.js";
