import type { Login, LoginAccount, LoginSession, NetworkHandlers, UserId } from "@trestle/core";
import type { Way } from "../people/people.js";
import type { OwnVoice } from "../rooms/parts.js";
import type { Rooms } from "../rooms/rooms.js";
import { Account, type Served } from "./account.js";
import type { AccountParts } from "./parts.js";
import { PublicUploads } from "./public-uploads.js";
import { ownedAccountOf } from "./owned-account.js";
import { askForAccount } from "./sign-in.js";

/** The XMPP accounts with which Matrix users have signed in. */
export class Accounts {
  readonly #accounts = new Map<UserId, Account>();
  readonly #publicUploads = new PublicUploads();
  #served: (Served & { readonly rooms: Pick<Rooms, "voiceChanged"> }) | undefined;

  constructor(private readonly parts: AccountParts) {}

  /** For whom accounts work; told before anybody signs in. */
  serve(served: Served & { readonly rooms: Pick<Rooms, "voiceChanged"> }): void {
    this.#served = served;
  }

  /** How a Matrix user speaks in rooms who has signed in. */
  voiceOf(user: UserId): OwnVoice | undefined {
    return this.#accounts.get(user)?.voice;
  }

  /** How a Matrix user talks who has signed in. */
  wayOf(user: UserId): Way | undefined {
    return this.#accounts.get(user)?.way;
  }

  /** Nothing where the operator has not switched it on. */
  get handlers(): Pick<NetworkHandlers, "login" | "signedIn" | "logout" | "suspendUser"> {
    if (!this.parts.config.accounts.enabled) return {};
    return {
      login: (session) => this.#login(session),
      signedIn: (login) => this.#signedIn(login),
      logout: (login) => this.#logout(login),
      suspendUser: ({ user }) => this.#suspend(user),
    };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#accounts.values()].map((account) => account.close()));
    this.#accounts.clear();
    await this.#publicUploads.close();
  }

  async #login(session: LoginSession): Promise<LoginAccount> {
    const { config, network, tuning } = this.parts;
    const others = (await network.logins()).filter(({ user }) => user !== session.user);
    return askForAccount(session, {
      config,
      tuning,
      isTaken: (jid) => others.some(({ account }) => account.remoteUser === jid),
    });
  }

  async #signedIn(login: Login): Promise<void> {
    const owned = ownedAccountOf(login.account);
    const served = this.#served;
    if (!served) return;
    await this.#accounts.get(login.user)?.close();
    this.#accounts.delete(login.user);
    if (!owned) {
      const detail = "What was kept of the account cannot be read any more: sign out, and in again";
      this.parts.network.report({ connection: login.account.name, state: "failed", detail });
      return;
    }
    const refused = (refusing: Account, why: string): void => this.#refused(refusing, why);
    const account = new Account(this.parts, login, owned, served, this.#publicUploads, refused);
    this.#accounts.set(login.user, account);
    account.start();
    served.rooms.voiceChanged(login.user);
  }

  async #logout({ user }: Login): Promise<void> {
    const account = this.#accounts.get(user);
    this.#accounts.delete(user);
    await account?.forget();
    this.#served?.rooms.voiceChanged(user);
  }

  /** It is not used until `signedIn` is called again. */
  async #suspend(user: UserId): Promise<undefined> {
    const account = this.#accounts.get(user);
    if (!account) return undefined;
    this.#accounts.delete(user);
    await account.close();
    this.#served?.rooms.voiceChanged(user);
    return undefined;
  }

  /** Nothing goes through it any more until somebody does something: the user is told what. */
  #refused(account: Account, why: string): void {
    if (this.#accounts.get(account.user) !== account) return;
    this.#accounts.delete(account.user);
    const { network } = this.parts;
    this.#served?.rooms.voiceChanged(account.user);
    void Promise.all([account.forget(), network.endLogin(account.login.id, why)]).catch((error: unknown) => {
      network.log.error({ err: error, account: account.jid }, "A login that the server refuses could not be ended");
    });
  }
}
