/** What Trestle uses of @xmpp/component 0.13, which has no types of its own. */
declare module "@xmpp/component" {
  import type { EventEmitter } from "node:events";
  import type { Socket } from "node:net";
  import type { ParsedElement, Parser } from "@xmpp/xml";

  export interface ComponentOptions {
    /** `xmpp://host:port` */
    readonly service: string;
    readonly domain: string;
    readonly password: string;
  }

  export interface ComponentEntity extends EventEmitter {
    /** In milliseconds: how long it waits for the answer to the stream header and to the handshake. */
    timeout: number;
    Socket: new () => Socket;
    Parser: new () => Parser;
    readonly socket: Socket | null;
    readonly options: ComponentOptions;
    readonly reconnect: { stop(): void };
    connect(service: string): Promise<void>;
    open(options: { readonly domain: string; readonly timeout: number }): Promise<unknown>;
    write(text: string): Promise<void>;
    on(event: "error", listener: (error: Error) => void): this;
    on(event: "stanza" | "nonza", listener: (element: ParsedElement) => void): this;
    on(event: "online" | "close" | "disconnect", listener: () => void): this;
  }

  export function component(options: ComponentOptions): ComponentEntity;
}
