import type { JobState } from '../run/state.ts';
import { downloadArtifact, uploadArtifact } from './artifacts.ts';
import { type StandInInputs, type StandInResult, standInInputs } from './catalog.ts';
import { checkout } from './checkout.ts';
import { setupNode, setupPython } from './setup.ts';

const implementations: Record<string, (job: JobState, inputs: StandInInputs) => Promise<StandInResult>> = {
  'actions/checkout': checkout,
  'actions/setup-node': setupNode,
  'actions/setup-python': setupPython,
  'actions/upload-artifact': uploadArtifact,
  'actions/download-artifact': downloadArtifact,
};

/** Does locally what one of GitHub's own actions does, and says that it is not the real one. Throws with the reason when it fails. */
export async function runStandIn(name: string, job: JobState, given: Record<string, string>): Promise<StandInResult> {
  const inputs = standInInputs(name, given);
  job.log.line(`${name} is simulated on this machine.`);
  return implementations[name]!(job, inputs);
}
