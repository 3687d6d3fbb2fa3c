#!/usr/bin/env node
/** `chaosdemo` as one file: without the commands that need a clone of the project, since they start a control plane. */
import { chaosdemoProgram, runCommandLine } from './check.ts';

await runCommandLine(chaosdemoProgram('Works with the files of a run of a ChaosDemo.'));
