import { FAILED, type MechanismMaker } from "./exchange.js";

/** SASL EXTERNAL (RFC 4422 appendix A): who one is says the certificate of the connection. */
export const external: MechanismMaker = ({ accounts }, client) => ({
  step: (data) => {
    const { fingerprint } = client;
    if (fingerprint === undefined) return FAILED;
    const wanted = data.toString("utf8");
    const account = wanted === "" ? accounts.nameOfFingerprint(fingerprint) : accounts.nameOf(wanted);
    return account !== undefined && accounts.hasFingerprint(account, fingerprint) ? { kind: "done", account } : FAILED;
  },
});
