/** `ui`: serves the page until Ctrl-C, and opens it. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Connection } from '../connection.ts';
import { PluginError } from '../errors.ts';
import { runPage } from './page.ts';
import { serveUi } from './server.ts';

export interface UiOptions {
  readonly connection: Connection;
  /** Of the object. */
  readonly name: string;
  /** 0: any free port. */
  readonly port: number;
  readonly open: boolean;
  readonly print: (line: string) => void;
}

export interface OpenUi {
  /** With the token, for those who may see the page. */
  readonly address: string;
  close(): Promise<void>;
}

/** Serves the page, prints its address, and opens it if requested. @throws {PluginError} if the port is taken */
export async function openUi({ connection, name, open, port, print }: UiOptions): Promise<OpenUi> {
  const token = secret();
  // Other users of the machine can see command lines: the address given to a browser must work only once.
  const key = secret();
  const served = await serveUi({
    page: (signal) => runPage(connection, name, signal),
    port,
    token,
    ...(open ? { key } : {}),
  }).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error;
    throw new PluginError(
      `port ${port} of 127.0.0.1 ${code === 'EACCES' ? 'may not be used' : 'is taken'}`,
      'Leave --port out to take one that is free, or name another.',
    );
  });
  const at = `http://127.0.0.1:${served.port}/`;
  print(`${at}${token}`);
  print('Anyone with this address sees what you may read. Ctrl-C ends it.');
  if (open && !(await openBrowser(`${at}${key}`)))
    print('No browser could be opened: open the address yourself.');
  return { address: `${at}${token}`, close: () => served.close() };
}

/** 256 bits. */
function secret(): string {
  return randomBytes(32).toString('base64url');
}

/** Whether there is a program that can show a page. */
export function hasBrowser(): boolean {
  if (process.platform !== 'linux') return process.stdout.isTTY;
  const { DISPLAY, WAYLAND_DISPLAY } = process.env;
  return process.stdout.isTTY && ((DISPLAY ?? '') !== '' || (WAYLAND_DISPLAY ?? '') !== '');
}

/** Whether the program that opens pages could be started; the browser outlives this process. */
async function openBrowser(address: string): Promise<boolean> {
  const [program, ...before] =
    process.platform === 'darwin'
      ? ['open']
      : process.platform === 'win32'
        ? ['rundll32', 'url.dll,FileProtocolHandler']
        : ['xdg-open'];
  const child = spawn(program ?? '', [...before, address], { stdio: 'ignore', detached: true });
  child.unref();
  try {
    await once(child, 'spawn');
    return true;
  } catch {
    return false;
  }
}
