/** What Trestle uses of irc-framework 4.14, which has no types of its own. */
declare module "irc-framework" {
  import { EventEmitter } from "node:events";

  /** What a transport must be; the class is constructed by the client at `connect`. */
  export interface Transport extends EventEmitter {
    connect(): void;
    writeLine(line: string, done?: () => void): void;
    close(force: boolean): void;
    setEncoding(encoding: string): boolean;
    disposeSocket(): void;
  }

  export interface ClientOptions {
    nick: string;
    username: string;
    gecos: string;
    password?: string;
    /** An empty object keeps the server password from being tried as a SASL password. */
    account: { account: string; password: string } | Record<string, never>;
    sasl_disconnect_on_fail: boolean;
    enable_chghost: boolean;
    enable_setname: boolean;
    enable_echomessage: boolean;
    auto_reconnect: false;
    /** In seconds; 0 for never. */
    ping_interval: number;
    ping_timeout: number;
    version: string;
    transport: new (options: ClientOptions) => Transport;
  }

  export class Client extends EventEmitter {
    constructor();
    readonly network: {
      readonly cap: { readonly enabled: readonly string[]; readonly available: ReadonlyMap<string, string> };
    };
    readonly connection: { clearTimers(): void; removeAllListeners(): void };
    readonly command_handler: EventEmitter;
    connect(options: ClientOptions): void;
    requestCap(capabilities: readonly string[]): void;
    on(event: "registered", listener: (event: { readonly nick: string }) => void): this;
  }

  const framework: { readonly Client: typeof Client };
  export default framework;
}
