const { TestEnvironment } = require("jest-environment-node");

/** Node, with every timeout of a test or hook as many times longer as TRESTLE_PATIENCE says: bounds are for what hangs. */
class PatientEnvironment extends TestEnvironment {
  handleTestEvent(event, state) {
    const patience = Number(process.env.TRESTLE_PATIENCE ?? 1);
    if (event.name !== "run_start" || patience === 1) return;
    state.testTimeout *= patience;
    lengthen(state.rootDescribeBlock, patience);
  }
}

function lengthen(block, patience) {
  for (const each of [...block.hooks, ...block.children]) {
    if (each.type === "describeBlock") lengthen(each, patience);
    else if (each.timeout !== undefined) each.timeout *= patience;
  }
}

module.exports = PatientEnvironment;
