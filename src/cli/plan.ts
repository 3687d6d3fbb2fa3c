/** The plan of a demo: the ChaosDemo of a file on the bundled rate limiter, or that of another limiter. */
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { type ChaosDemo, KIND, messageOf } from '../api/index.ts';
import { type Stage, type StageOptions, startEnvironment } from '../local/environment.ts';
import { UsageError } from '../settings/settings.ts';
import type { DemoOptions, ShowOptions } from './arguments.ts';

/** The fields of a ChaosDemo that are read here before it is applied. */
export interface PlannedDemo {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec?: object & { readonly pace?: { readonly mode?: string } };
}

/** The ChaosDemo of a demo, and its target. */
export interface Plan {
  readonly demo: PlannedDemo;
  /** The source of the demo. */
  readonly from: string;
  readonly start: (options: StageOptions) => Promise<Stage>;
  /** Messages about instances that have ended, besides those that were started here. */
  readonly ended?: () => Promise<readonly string[]>;
  /** Lines above the results, while the target is still there. */
  readonly hints?: (ended: ChaosDemo) => readonly string[];
}

/** Whether the run is shown full-screen. The address of a page must stay visible and clickable. */
export function isShownLive({ plain, ui }: Pick<ShowOptions, 'plain' | 'ui'>, hasTerminal: boolean): boolean {
  return hasTerminal && !plain && !ui;
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
  const manifest = await readFile(file, 'utf8').catch((error: Error) => {
    throw new UsageError(`--file ${file}: ${error.message}`);
  });
  return {
    demo: readDemo(manifest, file),
    from: file,
    start: async (options) => await startEnvironment({ ...options, mode }),
  };
}

function readDemo(manifest: string, file: string): PlannedDemo {
  let demo: PlannedDemo | null;
  try {
    demo = parse(manifest) as PlannedDemo | null;
  } catch (error) {
    throw new UsageError(`--file ${file}: it is not valid YAML: ${messageOf(error)}`);
  }
  if (demo?.kind !== KIND || !demo.metadata?.name) {
    throw new UsageError(`--file ${file}: it holds no ${KIND} with a name`);
  }
  if (demo.metadata.namespace !== 'ratelimiter') {
    throw new UsageError(
      `--file ${file}: write metadata.namespace: ratelimiter, the namespace of the rate limiters`,
    );
  }
  return demo;
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
