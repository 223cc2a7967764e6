import type { LoginAccount, LoginSession } from "@trestle/core";
import type { Credentials } from "../../session/sasl/credentials.js";
import { accountIdOf } from "../ids.js";
import type { IrcNetwork } from "../irc-network.js";
import { loginAccountOf } from "./accounts.js";
import { makeClientCertificate } from "./client-certificate.js";

/** How often somebody may try again whose certificate the network does not know yet. */
const CERTIFICATE_TRIES = 3;

/** Asks somebody for their account on a network, and tries it. Rejects with an `Error` that says what is wrong. */
export async function askForAccount(session: LoginSession, networks: readonly IrcNetwork[]): Promise<LoginAccount> {
  const network = networks.find(({ name }) => name === session.network);
  if (!network) throw new Error("the operator has switched off connections of people's own");
  const { account, password } = await session.ask([
    { id: "account", type: "username", label: `Your account on ${network.name}` },
    {
      id: "password",
      type: "password",
      label: "Its password",
      hint: "none: a certificate is made for you instead",
      optional: true,
    },
  ]);
  const name = account.trim();
  if (name === "") throw new Error("an account has a name");
  const credentials =
    password === "" ? await certified(session, network, name) : await withPassword(session, network, name, password);
  return loginAccountOf(network.name, credentials, accountIdOf(network.name, network.fold(credentials.account)));
}

async function withPassword(
  { user, signal }: LoginSession,
  network: IrcNetwork,
  name: string,
  password: string,
): Promise<Credentials> {
  const tried: Credentials = { method: "password", account: name, password };
  const { account, mechanism } = await network.accounts.try(user, tried, signal);
  // Who has proved the password once without showing it never has to show it.
  return { ...tried, account, ...(mechanism === "SCRAM-SHA-256" ? { mechanism } : {}) };
}

async function certified(session: LoginSession, network: IrcNetwork, name: string): Promise<Credentials> {
  if (!network.config.tls)
    throw new Error(`a certificate needs an encrypted connection, which ${network.name} does not have`);
  const { certificate, key, fingerprint } = makeClientCertificate();
  await session.say(
    `A certificate was made for you. Tell the network that it is yours: sign in to ${name} with your own IRC client and ` +
      `type\n/msg NickServ CERT ADD ${fingerprint}`,
  );
  const credentials: Credentials = { method: "certificate", account: name, certificate, key };
  for (let tries = 1; ; tries++) {
    await session.ask([{ id: "done", type: "text", label: "Type done when the network has it" }]);
    try {
      const { account } = await network.accounts.try(session.user, credentials, session.signal);
      return { ...credentials, account };
    } catch (error) {
      if (tries === CERTIFICATE_TRIES || session.signal.aborted) throw error;
      await session.say(`That did not work: ${error instanceof Error ? error.message : String(error)}.`);
    }
  }
}
