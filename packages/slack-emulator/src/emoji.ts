/** The form of an emoji's name. The emulator keeps no table of the names, so that tests need not depend on a version of Unicode. */
export const emojiNames = /^[a-z0-9_+'-]{1,100}$/;
