import { join } from 'node:path';
import { root } from '../../src/local/root.ts';

/** The folder with the pins of programs that are built or installed: Go modules and lists of packages. */
export const toolsFolder = join(root, 'tools');
