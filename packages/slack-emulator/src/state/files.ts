/** Where a file was shared: the message that carries it. */
export interface Share {
  readonly channelId: string;
  readonly ts: string;
  readonly threadTs?: string;
}

/** How a file is kept; `tombstone` is what is left of a deleted one. */
export type FileMode = "hosted" | "external" | "snippet" | "post" | "hidden_by_limit" | "tombstone";

/** A file. Until the upload is completed it is `pending` and only its uploader's app knows it. */
export interface StoredFile {
  readonly id: string;
  readonly teamId: string;
  readonly userId: string;
  readonly appId?: string;
  name: string;
  title: string;
  mimetype: string;
  filetype: string;
  altText?: string;
  mode: FileMode;
  externalUrl?: string;
  content: Buffer;
  /** Bytes; as announced until the content arrived. */
  size: number;
  /** Seconds since the epoch. */
  readonly created: number;
  state: "waiting" | "uploaded" | "complete";
  deleted: boolean;
  publicSecret?: string;
  /** A voice message. */
  voice: boolean;
  width?: number;
  height?: number;
  readonly shares: Share[];
}
