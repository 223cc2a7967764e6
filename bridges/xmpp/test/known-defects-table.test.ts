import { expect, it } from "@jest/globals";
import { faultsIn } from "../../../test/support/known-defects.js";

it("every defect in KNOWN-DEFECTS.md has the tests that stand beside it", () => {
  expect(faultsIn({ bridge: "bridges/xmpp", named: true })).toEqual([]);
});
