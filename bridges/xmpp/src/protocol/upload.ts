import { ns } from "../content/namespaces.js";
import {
  attributeOf,
  countOf,
  element,
  elementsOf,
  isElement,
  ownChildOf,
  ownChildrenOf,
  ownTextOf,
  textOf,
  type XmlElement,
} from "../content/xml.js";

/** Where a file can be put, and where it can be had then (XEP-0363 §5). */
export interface UploadSlot {
  /** `https:`, or `http:` for a server on the same machine. */
  readonly put: string;
  readonly get: string;
  /** For the PUT request. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Asks for a place for a file. */
export function uploadRequest(file: {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  readonly mimeType?: string;
}): XmlElement {
  return element("request", {
    xmlns: ns.httpUpload,
    filename: file.name,
    size: file.size,
    "content-type": file.mimeType,
  });
}

/** The headers that XEP-0363 §5 lets a server ask for. */
const allowedHeaders: ReadonlySet<string> = new Set(["authorization", "cookie", "expires"]);

/** Reads a place for a file; `undefined` where there is none in it. */
export function readUploadSlot(slot: XmlElement): UploadSlot | undefined {
  const [put, get] = [ownChildOf(slot, "put"), ownChildOf(slot, "get")];
  const [putUrl, getUrl] = [put, get].map((child) => (child && attributeOf(child, "url")) ?? "");
  if (put === undefined || putUrl === undefined || getUrl === undefined || !isHttp(putUrl) || !isHttp(getUrl))
    return undefined;
  const headers = ownChildrenOf(put, "header").flatMap((header): [string, string][] => {
    const name = attributeOf(header, "name") ?? "";
    // A newline would begin another header.
    return allowedHeaders.has(name.toLowerCase()) ? [[name, textOf(header).replace(/[\r\n]/g, "")]] : [];
  });
  return { put: putUrl, get: getUrl, headers: Object.fromEntries(headers) };
}

function isHttp(url: string): boolean {
  return /^https?:\/\//i.test(url) && URL.canParse(url);
}

/** The largest file that a refusal says can be put there, in bytes; `undefined` where that was not the reason. */
export function largestUpload(iq: XmlElement): number | undefined {
  const error = ownChildOf(iq, "error");
  const tooLarge = error && elementsOf(error).find((child) => isElement(child, "file-too-large", ns.httpUpload));
  return tooLarge && countOf(ownTextOf(tooLarge, "max-file-size"));
}
