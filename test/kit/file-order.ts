import { statSync } from 'node:fs';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * The order of test files: first those that need nothing but processors, then those whose runs keep real time. Among
 * these a large file is followed by smaller ones, since large ones start the most processes: where vitest starts the
 * largest together, they take the processors from each other, and runs miss their samples.
 */
export class LargeApart extends BaseSequencer {
  /** The files of the project `unit` by size, then the others, one of each quarter by size in turn. */
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sizes = new Map(files.map((file) => [file, statSync(file.moduleId).size]));
    const bySize = [...files].sort((a, b) => (sizes.get(b) ?? 0) - (sizes.get(a) ?? 0));
    const isUnit = (file: TestSpecification): boolean => file.project.name === 'unit';
    const timed = bySize.filter((file) => !isUnit(file));
    const quarter = Math.ceil(timed.length / 4);
    const dealt = timed.slice(0, quarter).flatMap((_, i) => [0, 1, 2, 3].map((q) => timed[i + q * quarter]));
    return [...bySize.filter(isUnit), ...dealt.filter((file) => file !== undefined)];
  }
}
