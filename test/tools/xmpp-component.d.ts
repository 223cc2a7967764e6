/** What the tools use of @xmpp/component 0.13, which has no types of its own. */
declare module "@xmpp/component" {
  import type { EventEmitter } from "node:events";

  export interface XmppElement {
    readonly name: string;
    readonly attrs: Readonly<Record<string, string>>;
    readonly children: readonly (XmppElement | string)[];
    getChild(name: string, xmlns?: string): XmppElement | undefined;
    getChildren(name: string, xmlns?: string): XmppElement[];
    /** `null` where there is no such child. */
    getChildText(name: string, xmlns?: string): string | null;
  }

  export interface XmppComponent extends EventEmitter {
    readonly status: string;
    /** What it connects with. */
    Socket: new () => import("node:net").Socket;
    readonly reconnect: { delay: number; stop(): void };
    /** How long an answer of the server is waited for while the connection is made, in milliseconds; 2,000 at first. */
    timeout: number;
    /** `request` resolves to the answer; rejects where it is an error, or does not come within `timeoutMs`. */
    readonly iqCaller: { request(iq: XmppElement, timeoutMs?: number): Promise<XmppElement> };
    start(): Promise<unknown>;
    stop(): Promise<unknown>;
    /** Ends the connection without a word. */
    disconnect(): Promise<unknown>;
    /** Gives a text to the system, as it stands; resolves when that has taken it. */
    write(text: string): Promise<void>;
    /** Rejects where there is no connection. */
    send(element: XmppElement): Promise<void>;
    on(event: "error", listener: (error: Error) => void): this;
    on(event: "stanza", listener: (element: XmppElement) => void): this;
    on(event: "online" | "disconnect", listener: () => void): this;
  }

  export function component(options: {
    /** `xmpp://host:port` */
    readonly service: string;
    readonly domain: string;
    readonly password: string;
  }): XmppComponent;

  export function xml(
    name: string,
    attrs?: Readonly<Record<string, string | undefined>>,
    ...children: readonly (XmppElement | string | undefined)[]
  ): XmppElement;
}
