import type { Account } from "../accounts/accounts.js";
import type { PushRuleKind, PushRules } from "../accounts/push-rules.js";
import { PUSH_RULE_KINDS } from "../accounts/push-rules.js";
import { badJson, invalidParam, MatrixError, missingParam, notFound } from "../errors.js";
import type { RequestContext } from "../http/context.js";
import type { Reply } from "../http/reply.js";
import { ok } from "../http/reply.js";
import type { Router } from "../http/router.js";
import type { JsonObject } from "../json.js";
import { isObject, stringField } from "../json.js";
import { setAccountData } from "./account-data.js";

/** Push rules and pushers. Nothing is pushed: a bridge has no phone. */
export function pushRoutes(router: Router): void {
  const base = "/_matrix/client/v3/pushrules";
  const rule = `${base}/global/{kind}/{ruleId}`;
  router.add("GET", base, (context) => ok({ global: context.account.pushRules }));
  router.add("GET", `${base}/`, (context) => ok({ global: context.account.pushRules }));
  router.add("GET", `${base}/global/`, (context) => ok(context.account.pushRules));
  router.add("GET", rule, (context) => ok(find(context).rule));
  router.add("PUT", rule, putRule);
  router.add("DELETE", rule, deleteRule);
  for (const part of ["actions", "enabled"] as const) {
    router.add("GET", `${rule}/${part}`, (context) => ok({ [part]: find(context).rule[part] ?? null }));
    router.add("PUT", `${rule}/${part}`, (context) => putPart(context, part));
  }
  router.add("GET", "/_matrix/client/v3/pushers", ({ account }) => ok({ pushers: [...account.pushers.values()] }));
  router.add("POST", "/_matrix/client/v3/pushers/set", setPusher);
}

function kindOf(context: RequestContext): PushRuleKind {
  const kind = PUSH_RULE_KINDS.find((each) => each === context.param("kind"));
  if (kind === undefined) throw invalidParam(`Unknown kind of push rule ${context.param("kind")}`);
  return kind;
}

function find(context: RequestContext): { rule: JsonObject; rules: JsonObject[] } {
  const rules = context.account.pushRules[kindOf(context)];
  const rule = rules.find((each) => each["rule_id"] === context.param("ruleId"));
  if (rule === undefined) throw notFound("Push rule not found");
  return { rule, rules };
}

function changed(context: RequestContext, account: Account): Reply {
  const rules: PushRules = account.pushRules;
  setAccountData(context.world, account, "m.push_rules", { global: { ...rules } });
  return ok();
}

function putRule(context: RequestContext): Reply {
  const { account } = context;
  const kind = kindOf(context);
  const id = context.param("ruleId");
  if (id.startsWith(".")) throw invalidParam("Rule ids that begin with a dot are reserved");
  const { actions, conditions, pattern } = context.json();
  if (!Array.isArray(actions)) throw badJson("'actions' must be a list");
  if (kind === "content" && typeof pattern !== "string") throw missingParam("Content rules need a 'pattern'");
  const rule: JsonObject = { rule_id: id, default: false, enabled: true, actions };
  if (kind === "override" || kind === "underride") rule["conditions"] = Array.isArray(conditions) ? conditions : [];
  if (kind === "content") rule["pattern"] = pattern ?? "";
  const rules = account.pushRules[kind].filter((each) => each["rule_id"] !== id);
  rules.splice(placeFor(context, rules), 0, rule);
  account.pushRules[kind] = rules;
  return changed(context, account);
}

/** Before all others of the user, or where `before` or `after` says. */
function placeFor(context: RequestContext, rules: readonly JsonObject[]): number {
  const neighbour = context.query.get("before") ?? context.query.get("after");
  if (neighbour === null) return rules[0]?.["rule_id"] === ".m.rule.master" ? 1 : 0;
  const place = rules.findIndex((each) => each["rule_id"] === neighbour);
  if (place < 0) throw new MatrixError(400, "M_UNKNOWN", `There is no rule ${neighbour}`);
  return context.query.has("before") ? place : place + 1;
}

function deleteRule(context: RequestContext): Reply {
  const { rule, rules } = find(context);
  if (rule["default"] === true) throw invalidParam("Predefined rules cannot be deleted");
  rules.splice(rules.indexOf(rule), 1);
  return changed(context, context.account);
}

function putPart(context: RequestContext, part: "actions" | "enabled"): Reply {
  const { rule } = find(context);
  const value = context.json()[part];
  const fits = part === "enabled" ? typeof value === "boolean" : Array.isArray(value);
  if (value === undefined || !fits) throw badJson(`'${part}' is missing or of a wrong type`);
  rule[part] = value;
  return changed(context, context.account);
}

function setPusher(context: RequestContext): Reply {
  const { account } = context;
  const body = context.json();
  const appId = stringField(body, "app_id");
  const pushKey = stringField(body, "pushkey");
  if (appId === undefined || pushKey === undefined) throw missingParam("Missing 'app_id' or 'pushkey'");
  const key = JSON.stringify([appId, pushKey]);
  if (body["kind"] === null) account.pushers.delete(key);
  else if (typeof body["kind"] !== "string" || !isObject(body["data"])) throw missingParam("Missing 'kind' or 'data'");
  else account.pushers.set(key, body);
  return ok();
}
