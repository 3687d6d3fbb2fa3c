/** The plan of a demo: the ChaosDemo of a file on the bundled rate limiter, or that of another limiter. */

import { UsageError } from '@chaosdemo/settings';
import type { Supervisor } from '@chaosdemo/testbed';
import type { ChaosDemo } from '../api/index.ts';
import { type Launch, launchBundled } from '../local/environment.ts';
import type { DemoOptions } from './arguments.ts';
import type { Library } from './libraries.ts';
import { type DemoManifest, readManifest } from './manifest.ts';

/** The ChaosDemo to apply. */
export interface PlannedDemo extends Pick<DemoManifest, 'apiVersion' | 'kind' | 'spec'> {
  readonly metadata: { readonly name: string; readonly namespace: string };
}

/** The ChaosDemo of a demo, and its target. */
export interface Plan {
  readonly demo: PlannedDemo;
  /** The source of the demo. */
  readonly from: string;
  readonly launch: Launch;
  /** The libraries that the target uses, if that is known. */
  readonly libraries?: readonly Library[];
  /** Owner of what runs already; default: a new one. */
  readonly supervisor?: Supervisor;
  /** Called once the operator has ended, with the object as it was applied. */
  readonly cleanUp?: (applied: ChaosDemo) => Promise<void>;
  /** Messages about instances that have ended, besides those that were started here. */
  readonly ended?: () => Promise<readonly string[]>;
  /** Lines above the results, while the target is still there. */
  readonly hints?: (ended: ChaosDemo) => readonly string[];
}

/** Rate limiters besides the reference one, each with a ChaosDemo. */
export interface OtherLimiters {
  readonly names: readonly string[];
  /** The plan for one of `names`, in one of its variants or the default. Throws UsageError for an unknown variant. */
  planOf(name: string, variant: string | undefined): Promise<Plan>;
}

/** Reads the demo selected by the arguments. Throws UsageError with what to write. */
export async function planOf(options: DemoOptions, others: OtherLimiters): Promise<Plan> {
  const { limiter, variant } = options;
  if (variant !== undefined && limiter === undefined) throw new UsageError('--variant belongs to --limiter');
  const plan = limiter === undefined ? await ofFile(options) : await others.planOf(limiter, variant);
  return { ...plan, demo: withOptions(plan.demo, options) };
}

async function ofFile({ file, mode }: DemoOptions): Promise<Plan> {
  const demo = await readManifest('--file', file);
  const { namespace } = demo.metadata;
  if (namespace !== 'ratelimiter') {
    throw new UsageError(
      `--file ${file}: write metadata.namespace: ratelimiter, the namespace of the rate limiters`,
    );
  }
  return {
    demo: { ...demo, metadata: { ...demo.metadata, namespace } },
    from: file,
    launch: async (start) => await launchBundled(start, mode),
  };
}

/** The demo with the pace and diagnosis from the arguments. */
function withOptions(demo: PlannedDemo, { diagnosis, pace }: DemoOptions): PlannedDemo {
  const mode = pace === 'manual' ? 'Manual' : 'Auto';
  const overrides = {
    ...(pace && { pace: { ...demo.spec?.pace, mode } }),
    ...(diagnosis && { diagnosisProfile: diagnosis }),
  };
  return { ...demo, spec: { ...demo.spec, ...overrides } };
}
