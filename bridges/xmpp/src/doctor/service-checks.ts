import type { Check } from "@trestle/core";
import { ns } from "../content/namespaces.js";
import { readDiscoInfo, readDiscoItems, type DiscoInfo } from "../protocol/disco.js";
import { xml, type XmppStream } from "../stream/index.js";

const ROUTE = "urn:xmpp:ping";
/** More services than any server offers. */
const MOST_SERVICES = 30;

/** Does the server bring back what goes to the component itself? */
export async function checkRoute(stream: XmppStream, signal: AbortSignal): Promise<Check> {
  const { address } = stream;
  const answer = await stream.request(
    xml("iq", { type: "get", from: `${address}/doctor`, to: address }, xml("ping", { xmlns: ROUTE })),
    { signal },
  );
  if (answer.kind !== "failure")
    return { check: "route", state: "ok", text: `What is sent to ${address} comes to the bridge.` };
  return {
    check: "route",
    state: "failed",
    text: `The XMPP server has taken ${address}, but what is sent there does not come back: ${answer.failure.reason}.`,
    cure: "See whether another virtual host or component of the server has the same name, and what its log says.",
  };
}

/** Is there a place for rooms, and one for files, on the server above the component's domain? */
export async function checkServices(stream: XmppStream, signal: AbortSignal): Promise<readonly Check[]> {
  const above = stream.address.split(".").slice(1).join(".");
  if (above === "") return [];
  const services = await servicesOf(stream, above, signal);
  if (services === undefined)
    return [
      {
        check: "rooms",
        state: "skipped",
        text: `${above} does not say which services it has: rooms of any server can be linked by their address all the same.`,
      },
    ];
  const rooms = services.find(({ identities }) =>
    identities.some(({ category, type }) => category === "conference" && type === "text"),
  );
  const upload = services.find(({ features }) => features.includes(ns.httpUpload));
  return [
    rooms
      ? { check: "rooms", state: "ok", text: `${rooms.jid} has rooms.` }
      : {
          check: "rooms",
          state: "warning",
          text: `${above} offers no rooms of its own.`,
          cure: 'Rooms of other servers can be linked. For rooms here: Component "rooms.…" "muc" in Prosody, mod_muc in ejabberd.',
        },
    upload
      ? { check: "upload", state: "ok", text: `${upload.jid} takes files (XEP-0363).` }
      : {
          check: "upload",
          state: "warning",
          text: `${above} takes no files (XEP-0363): what people send from Matrix appears as a link.`,
          cure: 'Component "upload.…" "http_file_share" in Prosody, mod_http_upload in ejabberd.',
        },
  ];
}

type Service = DiscoInfo & { readonly jid: string };

/** `undefined` where the server does not tell. */
async function servicesOf(
  stream: XmppStream,
  domain: string,
  signal: AbortSignal,
): Promise<readonly Service[] | undefined> {
  const ask = async (to: string, xmlns: string) => {
    const answer = await stream.request(xml("iq", { type: "get", from: stream.address, to }, xml("query", { xmlns })), {
      signal,
    });
    return answer.kind === "result" ? answer.stanza.getChild("query", xmlns) : undefined;
  };
  const listed = await ask(domain, ns.discoItems);
  if (!listed) return undefined;
  const jids = readDiscoItems(listed)
    .items.map(({ jid }) => jid)
    .filter((jid) => jid !== stream.address)
    .slice(0, MOST_SERVICES);
  const services = await Promise.all(
    jids.map(async (jid) => {
      const info = await ask(jid, ns.discoInfo);
      return info ? [{ jid, ...readDiscoInfo(info) }] : [];
    }),
  );
  return services.flat();
}
