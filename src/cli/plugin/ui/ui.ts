/** `ui`: serves the page of a run, and prints its address. */
import type { Connection } from '../connection.ts';
import { PluginError } from '../errors.ts';
import { runPage } from './page.ts';
import { serveUi, type Ui } from './server.ts';

export interface UiOptions {
  readonly connection: Connection;
  /** Of the object. */
  readonly name: string;
  /** 0: any free port. */
  readonly port: number;
  readonly print: (line: string) => void;
}

/** The caller closes it. @throws {PluginError} if the port is taken */
export async function openUi({ connection, name, port, print }: UiOptions): Promise<Ui> {
  const page = (signal: AbortSignal): Promise<string> => runPage(connection, name, signal);
  const ui = await serveUi(page, port).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error;
    throw new PluginError(
      `port ${port} of 127.0.0.1 ${code === 'EACCES' ? 'may not be used' : 'is taken'}`,
      'Leave --port out to take one that is free, or name another.',
    );
  });
  print(ui.address);
  print('Anyone with this address sees what you may read. Ctrl-C ends it.');
  return ui;
}
