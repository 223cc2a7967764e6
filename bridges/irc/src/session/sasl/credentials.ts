/** The SASL mechanisms that prove a password, the better one first. */
export const PASSWORD_MECHANISMS = ["SCRAM-SHA-256", "PLAIN"] as const;
export type PasswordMechanism = (typeof PASSWORD_MECHANISMS)[number];

export interface PasswordCredentials {
  readonly method: "password";
  readonly account: string;
  readonly password: string;
  /** The mechanism by which it has succeeded before, or that the operator wants: no other one is tried then. */
  readonly mechanism?: PasswordMechanism;
}

/** How a connection signs in to an account of the network. */
export type Credentials =
  | PasswordCredentials
  /** SASL EXTERNAL: the network knows the certificate's fingerprint. PEM. */
  | { readonly method: "certificate"; readonly account: string; readonly certificate: string; readonly key: string };

/** What came of signing in. */
export type SignInResult =
  | { readonly signedIn: true; readonly account: string; readonly mechanism: string }
  /** `rejected`: the network does not take these credentials; otherwise it could not be found out now. */
  | { readonly signedIn: false; readonly rejected: boolean; readonly reason: string };
