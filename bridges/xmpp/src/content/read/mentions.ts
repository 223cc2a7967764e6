import { ns } from "../namespaces.js";
import type { MentionRange } from "../text/marked-mentions.js";
import { attributeOf, childrenOf, countAttributeOf, type XmlElement } from "../xml.js";
import { jidOfUri } from "./jid.js";

/** More than anybody mentions who is not a nuisance. */
const maxMentions = 100;

/** Who is mentioned where in the body (XEP-0372). Whether the JID is of a person, an occupant or a room is not known here. */
export function readMentions(message: XmlElement): MentionRange[] {
  return childrenOf(message, "reference", ns.references)
    .flatMap((reference): MentionRange[] => {
      const id = jidOfUri(attributeOf(reference, "uri") ?? "");
      const [start, end] = [countAttributeOf(reference, "begin"), countAttributeOf(reference, "end")];
      if (attributeOf(reference, "type") !== "mention" || id === undefined) return [];
      return start === undefined || end === undefined ? [] : [{ start, end, target: { kind: "remoteUser", id } }];
    })
    .slice(0, maxMentions);
}
