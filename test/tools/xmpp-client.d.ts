/** What the tools use of @xmpp/client 0.14, under the name that package.json gives it. */
declare module "node-xmpp-client" {
  import type { XmppComponent, XmppElement } from "@xmpp/component";

  export interface XmppClient extends XmppComponent {
    /** In milliseconds: how long it waits for the server at each step. */
    timeout: number;
    /** Called for every element between the stream's tags. */
    _onElement(element: XmppElement & { children: (XmppElement | string)[] }): void;
  }

  export function client(options: {
    /** `xmpp://host:port` */
    readonly service: string;
    readonly domain: string;
    readonly username: string;
    readonly password: string;
    readonly resource: string;
  }): XmppClient;
}
