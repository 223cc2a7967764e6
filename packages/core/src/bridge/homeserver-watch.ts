import type { MatrixExchange } from "../matrix/http.js";

/** A status of this route's answers tells how the homeserver reaches us. */
const pingRoute = "/appservice/{appserviceId}/ping";
const fileRoute = /media|download|thumbnail|upload/;
/** Numbers that count up; what is longer is a time or a hash. */
const countedId = /^\d{1,15}$/;

export interface HomeserverSigns {
  /** It may have ended and started again, and lost what it had not handed over. `surely`: little else explains it. */
  restarted(why: string, surely: boolean): void;
  /** It is there again; `surely`: it had surely been away. */
  back(surely: boolean): void;
}

/** So often after a start, or after it was away, a number that is left out counts: several services may share the numbers. */
const gapsLookedInto = 3;

/** So many requests in a row that nobody answers are more than a hiccup on the way. */
const surelyAway = 3;

/** Notices that the homeserver was away or started anew, from what passes in any case. */
export class HomeserverWatch {
  /** Requests in a row that nobody answered. */
  #failures = 0;
  #lastTransaction = 0;
  #gapsLeft = gapsLookedInto;

  constructor(readonly signs: HomeserverSigns) {}

  /** A request of ours ended. */
  exchange({ route, status }: MatrixExchange): void {
    const failed = status === 0 || (status >= 502 && status <= 504 && route !== pingRoute);
    if (!failed && this.#failures === 0) return;
    // A transfer of a file is given up for many reasons.
    if (failed && fileRoute.test(route)) return;
    if (!failed) {
      this.#back();
      return;
    }
    this.#failures += 1;
    if (this.#failures === 1) this.signs.restarted("it did not answer", false);
    else if (this.#failures === surelyAway) this.signs.restarted("it was away", true);
  }

  /**
   * A transaction came. On SQLite the ids of a Synapse that starts anew begin again (element-hq/synapse#14556). A Synapse
   * that has just found us again may leave out a transaction that it makes in that moment, until it loses us once more.
   */
  transaction(id: string): void {
    if (this.#failures > 0) this.#back();
    if (!countedId.test(id)) return;
    const number = Number(id);
    const last = this.#lastTransaction;
    this.#lastTransaction = number;
    if (number < last) this.signs.restarted("its transaction ids begin again", true);
    else if (last > 0 && number > last + 1 && this.#gapsLeft > 0) {
      this.#gapsLeft -= 1;
      this.signs.restarted("it left out a transaction", false);
    }
  }

  /** It closed a connection to us, soon after it had used it; or even with a request under way. */
  hungUp(underWay: boolean): void {
    this.signs.restarted(underWay ? "it broke off a transaction" : "it closed its connection", underWay);
  }

  #back(): void {
    const surely = this.#failures >= surelyAway;
    this.#failures = 0;
    this.#gapsLeft = gapsLookedInto;
    this.signs.back(surely);
  }
}
