/** Looks how the machine keeps time, and builds what is missing before any test counts its own time. */

import type { TestProject } from 'vitest/node';
import { ensureControlPlaneBinaries } from '../../tools/binaries/control-plane.ts';
import { ensureTool, type ToolName } from '../../tools/offline/programs.ts';
import { measurePace } from '../kit/measure-pace.ts';

const TOOLS: readonly ToolName[] = ['kstatus', 'helm', 'source-controller', 'kustomize-controller', 'argocd'];

export default async function setup(project: TestProject): Promise<void> {
  const progress = (message: string): void => void process.stdout.write(`[tools] ${message}\n`);
  await ensureControlPlaneBinaries({ progress });
  for (const name of TOOLS) await ensureTool(name, { progress });
  project.provide('pace', measurePace());
}
