import { FAILED, type MechanismMaker } from "./exchange.js";

/** SASL PLAIN (RFC 4616): `authorization NUL name NUL password`. */
export const plain: MechanismMaker = ({ accounts }) => ({
  step: (data) => {
    const [authorize, name, password, ...rest] = data.toString("utf8").split("\0");
    if (name === undefined || password === undefined || rest.length > 0) return FAILED;
    if (authorize !== "" && authorize !== name) return FAILED;
    const account = accounts.nameOf(name);
    return account !== undefined && accounts.hasPassword(name, password) ? { kind: "done", account } : FAILED;
  },
});
