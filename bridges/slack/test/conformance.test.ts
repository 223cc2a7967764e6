import { conformance } from "@trestle/conformance";
import { SlackFake } from "./support/slack-fake.js";

/** By its name: it runs in a process of its own, and a crash is SIGKILL. */
conformance("slack", new SlackFake());
