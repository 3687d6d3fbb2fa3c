/** Images of limiters of the survey: their installed programs, on what runs them, and nothing else. */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { install } from '../../../survey/runner/install.ts';
import { fillIn, type SurveyedLimiter } from '../../../survey/runner/limiter.ts';
import { type Kind, loadImages } from '../../../tools/cluster/cluster.ts';
import { buildImage } from '../../../tools/cluster/engine.ts';
import type { ProvidedCluster } from '../global-setup.ts';
import { kindOf } from './kind.ts';

const progress = (line: string): void => void process.stdout.write(`[e2e] ${line}\n`);

/** Builds an image of each and gives them to the node. Returns their names, in the order of `limiters`. */
export async function provideLimiterImages(
  limiters: readonly SurveyedLimiter[],
  provided: ProvidedCluster,
): Promise<string[]> {
  const kind = kindOf(provided);
  const names: string[] = [];
  for (const limiter of limiters) names.push(await imageOf(limiter, kind, provided.images.runtime));
  await loadImages(kind, names, { progress });
  return names;
}

async function imageOf(limiter: SurveyedLimiter, { engine }: Kind, runtime: string): Promise<string> {
  const app = await install(limiter, { progress });
  const image = `localhost/survey-${limiter.name}:${limiter.version}`;
  const folder = await mkdtemp(join(tmpdir(), 'chaosdemo-image-'));
  try {
    await cp(app, join(folder, 'app'), { recursive: true });
    await writeFile(join(folder, 'Dockerfile'), dockerfileOf(limiter, runtime));
    await buildImage(engine, image, {}, { progress, folder });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return image;
}

function dockerfileOf({ args, ecosystem, name }: SurveyedLimiter, runtime: string): string {
  const command = JSON.stringify(args.map((argument) => fillIn(argument, { app: '/app' })));
  if (ecosystem === 'npm') return `FROM ${runtime}\nCOPY app /app\nUSER 65532:65532\nCMD ${command}\n`;
  // Linked to nothing, so it needs nothing.
  if (ecosystem === 'go') {
    return `FROM scratch\nCOPY app /app\nUSER 65532:65532\nENTRYPOINT ["/app/server"]\nCMD ${command}\n`;
  }
  throw new TypeError(`nothing makes an image of ${name}, which is of ${ecosystem}`);
}
