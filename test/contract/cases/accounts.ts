import { text } from "../../../packages/testkit/test/homeserver-support.js";
import type { Case } from "../cases.js";
import { path } from "../stage.js";

export const accountCases: readonly Case[] = [
  [
    "whoami, with and without a valid token",
    async (stage) => {
      const alice = await stage.person("alice");
      await alice.call("200", "GET", "/account/whoami");
      await stage.anyone.call("401 M_MISSING_TOKEN", "GET", "/account/whoami");
    },
  ],
  [
    "login by password",
    async (stage) => {
      const alice = await stage.person("alice");
      const identifier = { type: "m.id.user", user: stage.name("alice") };
      const type = "m.login.password";
      await alice.call("200", "POST", "/login", { body: { type, identifier, password: "secret of the contract" } });
      await alice.call("403 M_FORBIDDEN", "POST", "/login", { body: { type, identifier, password: "wrong" } });
      await alice.call("400 M_UNKNOWN", "POST", "/login", { body: { type: "m.login.nothing", identifier } });
      await alice.call("200", "POST", "/logout", { body: {} });
      await alice.call("401 M_UNKNOWN_TOKEN", "GET", "/account/whoami");
    },
  ],
  [
    "registration of ordinary users",
    async (stage) => {
      await stage.person("alice");
      const auth = { type: "m.login.dummy" };
      const register = (expected: string, username: string): Promise<unknown> =>
        stage.anyone.call(expected, "POST", "/register", { body: { username, password: "p", auth }, anyShape: true });
      await register("400 M_USER_IN_USE", stage.name("alice"));
      await register("400 M_INVALID_USERNAME", "UPPER!");
      await register("400 M_EXCLUSIVE", "contract_mine");
      await stage.anyone.call("401", "POST", "/register", { body: { username: stage.name("new"), password: "p" } });
    },
  ],
  [
    "profiles",
    async (stage) => {
      const alice = await stage.person("alice");
      const bob = await stage.person("bob");
      const profile = path`/profile/${alice.userId}`;
      await alice.call("200", "GET", profile);
      await alice.call("200", "PUT", `${profile}/displayname`, { body: { displayname: "Alice" } });
      await alice.call("200", "PUT", `${profile}/avatar_url`, { body: { avatar_url: "mxc://contract.test/abc" } });
      await bob.call("200", "GET", profile);
      await bob.call("200", "GET", `${profile}/displayname`);
      await bob.call("400 M_FORBIDDEN", "PUT", `${profile}/displayname`, { body: { displayname: "Eve" } });
      await alice.call("400 M_UNKNOWN", "PUT", `${profile}/displayname`, {
        body: { displayname: "x".repeat(257) },
      });
      await alice.call("400 M_MISSING_PARAM", "PUT", `${profile}/displayname`, { body: {} });
      await alice.call("404 M_UNKNOWN", "GET", path`/profile/${"@nobody:contract.test"}`);
    },
  ],
  [
    "account data, filters, tags",
    async (stage) => {
      const alice = await stage.person("alice");
      const bob = await stage.person("bob");
      const user = path`/user/${alice.userId}`;
      await alice.call("404 M_NOT_FOUND", "GET", `${user}/account_data/org.example`);
      await alice.call("200", "PUT", `${user}/account_data/org.example`, { body: { a: 1 } });
      await alice.call("200", "GET", `${user}/account_data/org.example`);
      await bob.call("403 M_FORBIDDEN", "GET", `${user}/account_data/org.example`);
      await bob.call("403 M_FORBIDDEN", "PUT", `${user}/account_data/org.example`, { body: {} });
      const { filter_id: id } = await alice.call("200", "POST", `${user}/filter`, { body: { room: {} } });
      await alice.call("200", "GET", `${user}/filter/${text(id)}`);
      await alice.call("404 M_NOT_FOUND", "GET", `${user}/filter/99`);
      const roomId = await alice.room();
      const tags = `${user}${path`/rooms/${roomId}/tags`}`;
      await alice.call("200", "PUT", `${tags}/u.work`, { body: { order: 0.5 } });
      await alice.call("200", "GET", tags);
      await alice.call("200", "DELETE", `${tags}/u.work`);
      await alice.call("200", "PUT", `${user}${path`/rooms/${roomId}/account_data/org.example`}`, { body: { b: 2 } });
    },
  ],
  [
    "devices",
    async (stage) => {
      const alice = await stage.person("alice");
      const { device_id: device } = await alice.call("200", "GET", "/account/whoami");
      const id = text(device);
      await alice.call("200", "PUT", `/devices/${id}`, { body: { display_name: "Phone" } });
      await alice.call("200", "GET", `/devices/${id}`, { anyShape: true });
      await alice.call("404 M_NOT_FOUND", "GET", "/devices/NOTHING");
      await alice.call("401", "DELETE", `/devices/${id}`, { body: {}, anyShape: true });
      await alice.call("404 M_NOT_FOUND", "GET", "/room_keys/version");
      await alice.call("200", "POST", "/keys/query", { body: { device_keys: { [alice.userId]: [] } }, anyShape: true });
    },
  ],
  [
    "push rules, pushers, capabilities, versions, unknown paths",
    async (stage) => {
      const alice = await stage.person("alice");
      await alice.call("200", "GET", "/pushrules/", { anyShape: true });
      await alice.call("200", "PUT", "/pushrules/global/content/cake", { body: { actions: [], pattern: "cake" } });
      await alice.call("200", "GET", "/pushrules/global/content/cake");
      await alice.call("200", "PUT", "/pushrules/global/content/cake/enabled", { body: { enabled: false } });
      await alice.call("200", "DELETE", "/pushrules/global/content/cake");
      await alice.call("404 M_NOT_FOUND", "GET", "/pushrules/global/content/cake");
      await alice.call("200", "GET", "/pushers");
      await alice.call("200", "GET", "/capabilities", { anyShape: true });
      const { versions } = await alice.call("200", "GET", "/_matrix/client/versions", { anyShape: true });
      stage.note("the newest version", Array.isArray(versions) ? (versions.at(-1) as unknown) : undefined);
      await alice.call("404 M_UNRECOGNIZED", "GET", "/no/such/thing");
      await alice.call("405 M_UNRECOGNIZED", "DELETE", "/createRoom");
    },
  ],
];
