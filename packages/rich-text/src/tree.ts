/**
 * The neutral formatted text between Matrix and every network: a small tree of blocks and inlines.
 *
 * A tree is plain JSON: it is stored in the journal and survives a restart unchanged.
 */
export interface RichText {
  readonly blocks: readonly Block[];
}

/** A part of a text that stands for itself. */
export type Block = Paragraph | Heading | CodeBlock | Quote | List | Rule;

/** Running text. */
export interface Paragraph {
  readonly type: "paragraph";
  readonly children: readonly Inline[];
}

/** A heading. */
export interface Heading {
  readonly type: "heading";
  /** 1 (largest) to 6. */
  readonly level: 1 | 2 | 3 | 4 | 5 | 6;
  readonly children: readonly Inline[];
}

/** Lines of code. */
export interface CodeBlock {
  readonly type: "codeBlock";
  /** Verbatim text; lines are separated by `\n`, with no newline at the end. */
  readonly text: string;
  /** A language name such as `ts`, of the characters `[A-Za-z0-9_+#.-]`. */
  readonly language?: string;
}

/** What somebody else said. */
export interface Quote {
  readonly type: "quote";
  readonly blocks: readonly Block[];
}

/** A list. */
export interface List {
  readonly type: "list";
  readonly ordered: boolean;
  /** The number of the first item; only for ordered lists, 1 where absent. */
  readonly start?: number;
  readonly items: readonly ListItem[];
}

/** One item of a list. */
export interface ListItem {
  readonly blocks: readonly Block[];
}

/** A line across. */
export interface Rule {
  readonly type: "rule";
}

/** A part of running text. */
export type Inline = Text | LineBreak | Styled | Code | Link | Mention | Emoji | Colour | Spoiler | InlineImage;

/** Letters. */
export interface Text {
  readonly type: "text";
  /** Never holds a newline: a line break is a node of its own. */
  readonly text: string;
}

/** A new line within a paragraph. */
export interface LineBreak {
  readonly type: "break";
}

/** Text in another style. */
export interface Styled {
  readonly type: "bold" | "italic" | "underline" | "strike";
  readonly children: readonly Inline[];
}

/** Code within a line. */
export interface Code {
  readonly type: "code";
  readonly text: string;
}

/** A link. */
export interface Link {
  readonly type: "link";
  /** An absolute `https:`, `http:`, `ftp:`, `mailto:`, `magnet:`, `xmpp:`, `irc:`, `ircs:` or `matrix:` URL. */
  readonly href: string;
  readonly children: readonly Inline[];
}

/** A person, a room or everyone, pointed to. */
export interface Mention {
  readonly type: "mention";
  readonly target: MentionTarget;
  /** What is shown where the mention itself cannot be, e.g. `alice`. */
  readonly text: string;
}

/**
 * Whom or what a mention points to. `matrixUser` and `matrixRoom` come from Matrix; `remoteUser` and `remoteChannel`
 * from a network; `everyone` from either, where a network has such a mention: a text that only looks like one is text.
 * The core translates between the two, so that a codec only meets its own side.
 */
export type MentionTarget =
  | { readonly kind: "matrixUser"; readonly userId: string }
  | { readonly kind: "matrixRoom"; readonly roomIdOrAlias: string; readonly eventId?: string }
  | { readonly kind: "everyone" }
  | { readonly kind: "remoteUser"; readonly id: string }
  | { readonly kind: "remoteChannel"; readonly id: string };

/** A picture among letters, by its name. */
export interface Emoji {
  readonly type: "emoji";
  /** The name without colons, e.g. `partyparrot`. */
  readonly name: string;
  /** A content URI (`mxc://…`) or an `https:` URL of the picture. */
  readonly url?: string;
}

/** Text in colour. */
export interface Colour {
  readonly type: "colour";
  /** `#rrggbb`, lower case. */
  readonly foreground?: string;
  /** `#rrggbb`, lower case. */
  readonly background?: string;
  readonly children: readonly Inline[];
}

/** Text that is hidden until one asks to see it. */
export interface Spoiler {
  readonly type: "spoiler";
  readonly reason?: string;
  readonly children: readonly Inline[];
}

/** A picture within a line. */
export interface InlineImage {
  readonly type: "image";
  /** A content URI (`mxc://…`) or an `https:` URL. */
  readonly src: string;
  readonly alt: string;
}
