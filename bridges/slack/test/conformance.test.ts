import { fileURLToPath } from "node:url";
import { conformance } from "@trestle/conformance";
import { SlackFake } from "./support/slack-fake.js";

/** By its place: it runs in a process of its own, and a crash is SIGKILL. Its pauses, and Slack's limits, are shortened. */
const connector = fileURLToPath(new URL("../../../test/dist/crash/slack/connector.js", import.meta.url));
conformance(connector, new SlackFake(), {
  except: {
    "can.typing": "Slack lets no app show that somebody is typing",
    "can.typing-back": "Slack tells no app who is typing",
    "can.receipt": "Slack lets no app say what somebody has read",
  },
});
