export { AccountWorkspace, type Account } from "./account.js";
export { Accounts } from "./accounts.js";
export { Authorization } from "./authorization.js";
export { SignIn } from "./sign-in.js";
