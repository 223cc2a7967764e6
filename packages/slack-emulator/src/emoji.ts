/**
 * Whether a name can be that of a standard emoji. The emulator keeps no table of the names: everything of the right form
 * is taken for one, so that a test need not depend on a version of Unicode.
 */
export const emojiNames = /^[a-z0-9_+'-]{1,100}$/;
