import { describe, expect, it } from "@jest/globals";
import { configSchema } from "@trestle/xmpp";

const component = { domain: "matrix.example.org", secret: "s" };
const account = { jid: "bridge@example.org", password: "p" };

function problems(config: unknown): readonly string[] {
  return configSchema.safeParse(config).error?.issues.map(({ message }) => message) ?? [];
}

describe("the configuration", () => {
  it("wants a component or an account, and not both", () => {
    expect(problems(component)).toEqual([]);
    expect(problems({ account })).toEqual([]);
    expect(problems({})).toHaveLength(2);
    expect(problems({ domain: component.domain })).toHaveLength(1);
    expect(problems({ ...component, account })).toEqual(["either a component (domain, secret) or an account"]);
  });

  it("has no gateway and no accounts of people's own without a component", () => {
    expect(problems({ account, gateway: { enabled: true }, accounts: { enabled: true } })).toHaveLength(2);
    expect(problems({ ...component, gateway: { enabled: true }, accounts: { enabled: true } })).toEqual([]);
  });

  it("lets nothing go unencrypted to another machine", () => {
    const to = (host: string) => ({ ...component, accounts: { servers: { localhost: { host, security: "none" } } } });
    for (const host of ["127.0.0.1", "127.1.2.3", "::1", "localhost"]) expect(problems(to(host))).toEqual([]);
    for (const host of ["10.0.0.1", "xmpp.example.org", "127.0.0.1.example.org"])
      expect(problems(to(host))).toEqual([
        "without encryption a server must be on this machine: 127.0.0.1, ::1 or localhost",
      ]);
  });
});
