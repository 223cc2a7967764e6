import { Socket } from "node:net";

/** Decodes across reads: the library decodes each read by itself, and so damages characters that lie across two. */
export class TextSocket extends Socket {
  constructor() {
    super();
    this.setEncoding("utf8");
  }
}
