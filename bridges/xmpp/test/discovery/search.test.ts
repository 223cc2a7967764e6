import { beforeEach, describe, expect, it } from "@jest/globals";
import { UserId } from "@trestle/core";
import { Desk } from "./support/desk.js";

const CAROL = "carol@home.test/desk";

let desk: Desk;
beforeEach(() => {
  desk = new Desk();
});

describe("search (XEP-0055)", () => {
  const people = ["Fiona", "Fionn", "Bob"];
  const search = (content: string) =>
    desk.asks(CAROL, "set", `<query xmlns="jabber:iq:search">${content}</query>`).then((answer) => answer.toString());

  beforeEach(() => {
    for (const name of people)
      desk.people.note({ userId: UserId(`@${name.toLowerCase()}:example.org`), name: `${name} <&>` });
  });

  it("says what can be asked, in the manner of forms and of the days before", async () => {
    const form = (await desk.asks(CAROL, "get", '<query xmlns="jabber:iq:search"/>')).getChild("query");
    expect(form?.getChild("instructions")).toBeDefined();
    expect(form?.getChild("nick")).toBeDefined();
    const fields = form?.getChild("x", "jabber:x:data")?.getChildren("field") ?? [];
    expect(fields.map(({ attrs }) => attrs["var"])).toEqual(["FORM_TYPE", "nick"]);
  });

  it("finds people by a part of their name or id, in any case, either way", async () => {
    for (const asked of [
      "<nick>FION</nick>",
      "<first>fion</first>",
      '<x xmlns="jabber:x:data" type="submit"><field var="nick"><value>fion</value></field></x>',
    ]) {
      const found = await search(asked);
      expect(found).toContain("fiona_example.org@matrix.test");
      expect(found).toContain("fionn_example.org@matrix.test");
      expect(found).toContain("Fiona &lt;&amp;&gt;");
      expect(found).not.toContain("bob_example.org");
    }
    expect(await search("<nick>@bob:</nick>")).toContain("bob_example.org@matrix.test");
  });

  it("gives nobody away to who names nobody", async () => {
    for (const asked of ["", "<nick/>", "<nick>  </nick>", "<nick>nobody</nick>"])
      expect(await search(asked)).not.toContain("_example.org");
  });
});

describe("registration (XEP-0077, XEP-0100)", () => {
  it("says that none is needed, and takes one that is sent all the same", async () => {
    const asked = await desk.asks(CAROL, "get", '<query xmlns="jabber:iq:register"/>');
    expect(asked.getChild("query")?.getChild("registered")).toBeDefined();
    expect(asked.getChild("query")?.getChildText("instructions")).toContain("No account is needed");
    for (const content of ["<username>a</username><password>b</password>", "<remove/>"]) {
      const answer = await desk.asks(CAROL, "set", `<query xmlns="jabber:iq:register">${content}</query>`);
      expect(answer.attrs["type"]).toBe("result");
    }
  });
});

describe("the prompt of the gateway (XEP-0100 §4.11)", () => {
  const addressOf = async (typed: string) => {
    const answer = await desk.asks(CAROL, "set", `<query xmlns="jabber:iq:gateway"><prompt>${typed}</prompt></query>`);
    return answer.getChild("query")?.getChildText("jid");
  };

  it("makes an address of every Matrix id, and of nothing else", async () => {
    expect(await addressOf("@alice:example.org")).toBe("alice_example.org@matrix.test");
    expect(await addressOf(" #Big Chat:example.org ".replace(" Chat", "Chat"))).toBe(
      "#^42ig^43hat#example.org@matrix.test",
    );
    expect(await addressOf("https://matrix.to/#/%40alice%3Aexample.org")).toBe("alice_example.org@matrix.test");
    expect(await addressOf("matrix:u/alice:example.org")).toBe("alice_example.org@matrix.test");
    for (const typed of ["", "alice", "@alice", "alice@example.org", "@a b:c", "https://matrix.to/#/%ff"])
      expect(await addressOf(typed)).toBeUndefined();
  });
});
