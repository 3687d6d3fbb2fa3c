/** `doctor`: why an object does not start, each cause with the command to fix it. */
import type { ChaosDemo } from '../../../api/index.ts';
import { KINDS } from '../../../subjects/index.ts';
import { existingDemo } from '../demos.ts';
import { PluginError } from '../errors.ts';
import { checkAdmission } from './admission-check.ts';
import { type CheckContext, checked } from './check-context.ts';
import type { Finding } from './finding.ts';
import { checkObject } from './object-checks.ts';
import { checkCrd, checkOperator } from './operator-checks.ts';

/**
 * All findings, in the order in which to fix them.
 * @param name of the object; default: the only one of the namespace
 * @throws if the API server cannot be reached at all
 */
export async function examine(context: CheckContext, name: string | undefined): Promise<Finding[]> {
  const crd = await checkCrd(context);
  if (crd.state === 'unknown') throw new PluginError(crd.message);
  if (crd.state === 'wrong') return [crd];
  let demo: ChaosDemo | undefined;
  const object = await checked('Object', context, async () => {
    try {
      demo = await existingDemo(context, name, context.signal);
    } catch (error) {
      if (!(error instanceof PluginError)) throw error;
      return { state: 'wrong', message: [error.message, error.remedy].filter(Boolean).join('. ') };
    }
    return { state: 'ok', message: demo.metadata.name };
  });
  const [operator, target] = await Promise.all([checkOperator(context), checkTarget(context, demo)]);
  const others = [crd, ...operator, ...target];
  return [...others, demo ? checkObject(demo, context.kubectl, others) : object];
}

async function checkTarget(context: CheckContext, demo: ChaosDemo | undefined): Promise<Finding[]> {
  const isKnown = demo && KINDS.some(({ api }) => api.member in demo.spec);
  return isKnown ? await checkAdmission({ ...context, demo }) : [];
}
