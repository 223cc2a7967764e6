import bolt from "@slack/bolt";

/**
 * A relay as Bolt's documentation would have one write it: its own receiver, a listener that says what it heard in another
 * channel. `SLACK_COPIES` is that channel.
 */
const environment = process.env;
const port = environment["SLACK_PORT"];
const app = new bolt.App({
  token: environment["SLACK_BOT_TOKEN"] ?? "",
  ...(port === undefined
    ? { socketMode: true, appToken: environment["SLACK_APP_TOKEN"] ?? "" }
    : { signingSecret: environment["SLACK_SIGNING_SECRET"] ?? "", port: Number(port) }),
  clientOptions: { slackApiUrl: environment["SLACK_API_URL"] ?? "" },
});
app.message(async ({ message, client }) => {
  if (message.subtype === undefined && message.text !== undefined)
    await client.chat.postMessage({ channel: environment["SLACK_COPIES"] ?? "", text: message.text });
});
await app.start();
