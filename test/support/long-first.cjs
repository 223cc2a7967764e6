const { default: Sequencer } = require("@jest/test-sequencer");

/** Suites that take a minute or so each, which would otherwise be waited for at the end, one by one. */
const long = [
  "bridges/xmpp/test/conformance",
  "packages/conformance/test/planted-faults",
  "bridges/slack/test/conformance",
  "bridges/slack/test/faults/",
  "bridges/xmpp/test/real-servers",
  "bridges/irc/test/conformance",
  "bridges/irc/test/real-servers",
  "bridges/mqtt/test/crash",
  "bridges/irc/test/scale",
  "bridges/irc/test/holder-restarts",
  "bridges/irc/test/crash",
  "bridges/xmpp/test/rooms",
  "test/real/",
  "test/crash/",
  "packages/cli/test/",
  "bridges/slack/test/content/properties",
  "packages/conformance/test/",
  "test/contract/",
  "test/playground",
  "test/faults/",
];

/** Has the suites that take long begin first. */
class LongFirst extends Sequencer {
  sort(tests) {
    const rank = ({ path }) => {
      const at = long.findIndex((part) => path.replaceAll("\\", "/").includes(`/${part}`));
      return at < 0 ? long.length : at;
    };
    const others = new Map(super.sort([...tests]).map((test, index) => [test, index]));
    return [...tests].sort((a, b) => rank(a) - rank(b) || others.get(a) - others.get(b));
  }
}

module.exports = LongFirst;
