/** What a demo runs: the ChaosDemo of a file on the reference rate limiter, or that of the survey on one of its limiters. */
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { KIND } from '../api/index.ts';
import { type Stage, type StageOptions, startEnvironment } from '../local/environment.ts';
import { surveyDemo } from '../local/surveyed/demo.ts';
import { startSurveyed } from '../local/surveyed/environment.ts';
import type { SurveyedLimiter, Variant } from '../local/surveyed/limiter.ts';
import { loadLimiter } from '../local/surveyed/limiters.ts';
import { UsageError, type ValuesOf } from '../settings/settings.ts';
import type { DEMO } from './arguments.ts';

type DemoArguments = ValuesOf<typeof DEMO.settings>;

/** A ChaosDemo to apply, as far as it is looked at here. */
export interface PlannedDemo {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec?: { readonly pace?: { readonly mode?: string } };
}

/** What is run, and on what. */
export interface Plan {
  readonly demo: PlannedDemo;
  /** Where the demo is from. */
  readonly from: string;
  readonly start: (options: StageOptions) => Promise<Stage>;
}

/** Whether the run has the terminal's own screen. The address of a page must stay in sight, and be there to click. */
export function isShownLive(
  { plain, ui }: Pick<DemoArguments, 'plain' | 'ui'>,
  hasTerminal: boolean,
): boolean {
  return hasTerminal && !plain && !ui;
}

/** Reads what the arguments name. Throws UsageError with what to write. */
export async function planOf(options: DemoArguments): Promise<Plan> {
  const plan =
    options.limiter === undefined ? await ofFile(options) : await ofSurvey(options.limiter, options);
  return { ...plan, demo: asAsked(plan.demo, options) };
}

async function ofFile({ file, mode }: DemoArguments): Promise<Plan> {
  const manifest = await readFile(file, 'utf8').catch((error: Error) => {
    throw new UsageError(`--file ${file}: ${error.message}`);
  });
  return {
    demo: readDemo(manifest, file),
    from: file,
    start: async (options) => await startEnvironment({ ...options, mode }),
  };
}

async function ofSurvey(name: string, options: DemoArguments): Promise<Plan> {
  const limiter = await loadLimiter(name);
  const variant = variantOf(limiter, options.variant);
  return {
    demo: surveyDemo(limiter, variant, { namespace: 'ratelimiter', name }),
    from: `the ChaosDemo of the survey for ${name} (${variant.name})`,
    start: async (stage) => await startSurveyed({ ...stage, limiter, variant }),
  };
}

function variantOf({ name, variants }: SurveyedLimiter, asked: string | undefined): Variant {
  const found = asked === undefined ? variants[0] : variants.find((variant) => variant.name === asked);
  if (found) return found;
  const names = variants.map((variant) => variant.name).join(', ');
  throw new UsageError(`--variant is "${asked}": of ${name} write one of ${names}`);
}

function readDemo(manifest: string, file: string): PlannedDemo {
  const demo = parse(manifest) as PlannedDemo | null;
  if (demo?.kind !== KIND || !demo.metadata?.name) {
    throw new UsageError(`--file ${file}: it holds no ${KIND} with a name`);
  }
  if (demo.metadata.namespace !== 'ratelimiter') {
    throw new UsageError(
      `--file ${file}: write metadata.namespace: ratelimiter, where the rate limiters are`,
    );
  }
  return demo;
}

/** The demo with what the arguments say about pace and diagnosis. */
function asAsked(demo: PlannedDemo, { diagnosis, pace }: DemoArguments): PlannedDemo {
  const mode = pace === 'manual' ? 'Manual' : 'Auto';
  const asked = {
    ...(pace && { pace: { ...demo.spec?.pace, mode } }),
    ...(diagnosis && { diagnosis: { profile: diagnosis } }),
  };
  return { ...demo, spec: { ...demo.spec, ...asked } };
}
