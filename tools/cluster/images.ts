/** Public images, and what takes their place where no registry can be reached. */
import { attempt, type StepOptions } from '@chaosdemo/testbed';
import { ToolError } from '../errors.ts';
import { type ImagePurpose, makeStandIn } from '../offline/stand-ins.ts';
import { type Engine, hasImage } from './engine.ts';

/**
 * The image itself where the engine has it or can pull it; else the name of one made on this machine: at once
 * when it was made before, minutes for a node.
 * @throws ToolError IMAGE_UNAVAILABLE where it can be neither
 */
export async function ensureImage(
  engine: Engine,
  image: string,
  purpose: ImagePurpose,
  options: StepOptions,
): Promise<string> {
  const { progress, signal } = options;
  if (await hasImage(engine, image)) return image;
  progress(`pulling ${image}`);
  const { ok, errorText } = await attempt(engine.name, ['pull', image], { env: engine.env, signal });
  if (ok) return image;
  const obstacle = errorText.split('\n').at(-1);
  // Made from this machine's own programs, which a node then runs.
  const needs = process.platform !== 'linux' ? 'Linux' : process.getuid?.() !== 0 ? 'root' : undefined;
  if (needs) {
    throw new ToolError(
      'IMAGE_UNAVAILABLE',
      `${image} cannot be pulled (${obstacle}), and making an image in its place needs ${needs}`,
    );
  }
  const made = await makeStandIn(purpose, { ...options, engine });
  progress(`${image} cannot be pulled (${obstacle}): ${made} stands in for it`);
  return made;
}
