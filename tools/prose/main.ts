/** `npm run check:prose -- [surfaces]`: checks the language of texts by the rules in `styles`. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TestbedError } from '@chaosdemo/testbed';
import { Argument, Command } from 'commander';
import { runProgram } from '../../src/cli/program.ts';
import { root } from '../../src/local/root.ts';
import { ensureTool } from '../offline/programs.ts';
import { SURFACE_NAMES, type Surface, type SurfaceName, surface } from './surfaces.ts';
import { checkFiles, checkPassages, type Finding } from './vale.ts';

const command = new Command('npm run check:prose --')
  .description(
    'Checks the language of texts with Vale. The first run builds it, which needs Go and takes 1 to 3 minutes. Without Go nothing is checked; with CI=true, the command fails then.',
  )
  .addArgument(new Argument('[surfaces...]', 'which texts (default: all)').choices(SURFACE_NAMES))
  .addHelpText('after', '\nExit status: 0, 1 if a text breaks a rule or cannot be checked.');

const say = (line: string): void => void process.stderr.write(`[prose] ${line}\n`);

async function findingsOf(vale: string, { files, read }: Surface): Promise<Finding[]> {
  if (!read) return await checkFiles(vale, files);
  const each = files.map((file) => checkPassages(vale, file, read(readFileSync(join(root, file), 'utf8'))));
  return (await Promise.all(each)).flat();
}

/** Path of Vale, or undefined if it cannot be built on this machine. */
async function findVale(signal: AbortSignal): Promise<string | undefined> {
  try {
    return await ensureTool('vale', { progress: say, signal });
  } catch (error) {
    if (!(error instanceof TestbedError) || process.env['CI'] === 'true') throw error;
    say(`the language of texts is NOT checked: ${error.message}. ${error.remedy}`);
    return undefined;
  }
}

await runProgram(command, {
  failed: 1,
  async main(_, signal, words) {
    const vale = await findVale(signal);
    if (vale === undefined) return 0;
    const names = words.length > 0 ? (words as SurfaceName[]) : SURFACE_NAMES;
    const findings = (await Promise.all(names.map((name) => findingsOf(vale, surface(name))))).flat();
    for (const { file, line, rule, match, message } of findings) {
      process.stdout.write(`${file}:${line}: ${message} (${rule}: ${match})\n`);
    }
    process.stdout.write(`${names.join(', ')}: ${findings.length} findings\n`);
    return findings.length === 0 ? 0 : 1;
  },
});
