/** What `npm run demo -- --limiter` runs: the ChaosDemo of the survey on one of its limiters. */

import { fileURLToPath } from 'node:url';
import { UsageError } from '@chaosdemo/settings';
import { librariesIn } from '../../src/cli/libraries.ts';
import type { Plan } from '../../src/cli/plan.ts';
import { surveyDemo } from './demo.ts';
import { launchSurveyed } from './environment.ts';
import type { SurveyedLimiter, Variant } from './limiter.ts';
import { loadLimiter } from './limiters.ts';

/** The plan for one limiter in the variant of that name, or as it comes. Throws UsageError for an unknown variant. */
export async function surveyPlan(name: string, variantName: string | undefined): Promise<Plan> {
  const limiter = await loadLimiter(name);
  const variant = variantOf(limiter, variantName);
  return {
    demo: surveyDemo(limiter, variant, { namespace: 'ratelimiter', name }),
    from: `the ChaosDemo of the survey for ${name} (${variant.name})`,
    launch: async (start) => await launchSurveyed(start, limiter, variant),
    libraries: await librariesIn(fileURLToPath(new URL(`../limiters/${name}/app`, import.meta.url))),
  };
}

function variantOf({ name, variants }: SurveyedLimiter, wanted: string | undefined): Variant {
  const found = wanted === undefined ? variants[0] : variants.find((variant) => variant.name === wanted);
  if (found) return found;
  const names = variants.map((variant) => variant.name).join(', ');
  throw new UsageError(`--variant is "${wanted}": of ${name} write one of ${names}`);
}
