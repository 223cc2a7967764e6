/** What Trestle uses of @xmpp/client 0.14, under the name that package.json gives it. */
declare module "node-xmpp-client" {
  import type { EventEmitter } from "node:events";
  import type { ParsedElement, Parser } from "@xmpp/xml";

  export interface ClientOptions {
    /** `xmpp://host:port` */
    readonly service: string;
    readonly domain: string;
  }

  /** What carries a stream: a class of which the client uses the prototype alone. */
  export type Transport = new (options: ClientOptions) => TransportPrototype;

  export interface TransportPrototype extends EventEmitter {
    Socket: new () => EventEmitter;
    Parser: new () => Parser;
  }

  export interface ClientEntity extends EventEmitter {
    /** In milliseconds: how long it waits for the answer to a stream header. */
    timeout: number;
    transports: Transport[];
    readonly reconnect: { stop(): void };
    /** Called for every element between the stream's tags. */
    _onElement(element: ParsedElement): void;
    /** The transport for this address. */
    _findTransport(service: string): Transport | undefined;
    connect(service: string): Promise<void>;
    open(options: { readonly domain: string }): Promise<unknown>;
    restart(): Promise<unknown>;
    write(text: string): Promise<void>;
    on(event: "error", listener: (error: Error) => void): this;
    on(event: "close" | "disconnect", listener: () => void): this;
  }

  export function client(options: ClientOptions): ClientEntity;
}
