import { describe, expect, it } from "@jest/globals";
import type { Failure } from "@trestle/core";
import { Acceptance } from "../../dist/people/acceptance.js";
import { xml, type Answer, type Element, type XmppStream } from "../../dist/stream/index.js";

/** A stream whose every answer a test gives. */
class FakeStream implements XmppStream {
  readonly address = "bridge.test";
  readonly state = { state: "online" } as const;
  readonly sent: Element[] = [];
  readonly pings: ((answer: Answer) => void)[] = [];
  failure: Failure | undefined;

  start(): void {
    throw new Error("not used");
  }
  send(stanza: Element): Promise<Failure | undefined> {
    this.sent.push(stanza);
    return Promise.resolve(this.failure);
  }
  request(): Promise<Answer> {
    return new Promise((resolve) => this.pings.push(resolve));
  }
  interrupt(): void {
    throw new Error("not used");
  }
  close(): Promise<void> {
    throw new Error("not used");
  }
}

const pong: Answer = { kind: "result", stanza: xml("iq", { type: "result" }) };
const message = (id: string) => ({ id, to: "bob@example.org", excerpt: "“hello”" });
const stanza = (id: string) => xml("message", { id, to: "bob@example.org" });
const settled = () => new Promise((resolve) => setImmediate(resolve));

function begin() {
  const stream = new FakeStream();
  const acceptance = new Acceptance(stream);
  const send = (id: string) => acceptance.send(stanza(id), message(id), new AbortController().signal);
  return { stream, acceptance, send };
}

describe("whether a message is taken", () => {
  it("is known when a ping that was sent behind it comes back, one ping for all that waits", async () => {
    const { stream, acceptance, send } = begin();
    const first = send("a");
    await settled();
    const others = ["b", "c", "d"].map(send);
    await settled();
    expect(stream.pings).toHaveLength(1);
    stream.pings[0]?.(pong);
    expect(await first).toBeUndefined();
    expect(acceptance.isKnown("a")).toBe(true);
    expect(acceptance.isKnown("b")).toBe(false);
    await settled();
    // The ping of the first was sent before the others: it says nothing of them.
    expect(stream.pings).toHaveLength(2);
    stream.pings[1]?.(pong);
    expect(await Promise.all(others)).toEqual([undefined, undefined, undefined]);
  });

  it("is refused, or tried again, as the bounce says that comes before the ping", async () => {
    const { acceptance, send } = begin();
    const gone = send("a");
    expect(acceptance.bounced("a", { type: "cancel", condition: "item-not-found" })).toBeUndefined();
    expect(await gone).toMatchObject({ failed: "permanent", reason: expect.stringContaining("no such account") });
    const busy = send("b");
    acceptance.bounced("b", { type: "wait", condition: "resource-constraint" });
    expect(await busy).toMatchObject({ failed: "retry" });
  });

  it("is told once more when it bounces after it was accepted, and only then", async () => {
    const { stream, acceptance, send } = begin();
    const sending = send("a");
    await settled();
    stream.pings[0]?.(pong);
    await sending;
    const error = { type: "cancel", condition: "remote-server-not-found" } as const;
    expect(acceptance.bounced("a", error)).toMatchObject({ to: "bob@example.org" });
    expect(acceptance.bounced("a", error)).toBeUndefined();
    expect(acceptance.bounced("never sent", error)).toBeUndefined();
  });

  it("is nobody's to say when the connection ends, though the next one answers at once", async () => {
    const { stream, acceptance, send } = begin();
    const sending = send("a");
    await settled();
    acceptance.lost();
    stream.pings[0]?.(pong);
    expect(await sending).toMatchObject({ failed: "uncertain" });
    expect(acceptance.isKnown("a")).toBe(false);
  });

  it("is believed of the recipient's receipt, for a message that was sent", async () => {
    const { acceptance, send } = begin();
    const sending = send("a");
    acceptance.received("a");
    acceptance.received("never sent");
    acceptance.lost();
    expect(await sending).toMatchObject({ failed: "uncertain" });
    expect(acceptance.isKnown("a")).toBe(true);
    expect(acceptance.isKnown("never sent")).toBe(false);
  });

  it("is not asked where nothing was sent", async () => {
    const { stream, send } = begin();
    stream.failure = { failed: "retry", reason: "not connected" };
    expect(await send("a")).toEqual(stream.failure);
    expect(stream.pings).toEqual([]);
  });
});
