/** Callers of the bundled limiter: each is a key whose limit the run has defined. Pure. */
import { z } from 'zod';
import { truncate } from '../../../../api/index.ts';
import type { HttpAnswer } from '../../http/answer.ts';
import { parseJson } from '../../http/json-body.ts';
import type { Decision } from '../callers.ts';
import { HttpCallers } from '../http/http-callers.ts';
import { mappingOf } from './preset.ts';

const PRESET = mappingOf({});
const windowAnswer = z.object({ windowId: z.string().min(1).max(128) });
const errorAnswer = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

export class ReferenceCallers extends HttpCallers {
  readonly #isOwn: (windowId: string) => boolean;

  /** @param isOwn whether the run has begun this window: an answer for any other is no decision */
  constructor(isOwn: (windowId: string) => boolean) {
    super(PRESET);
    this.#isOwn = isOwn;
  }

  override read(answer: Pick<HttpAnswer, 'status' | 'body'>): Decision {
    const { body, status } = answer;
    const json = parseJson(body);
    if (status !== 200 && status !== 429) throw new Error(`answered ${status}: ${reasonOf(json)}`);
    const decision = super.read(answer);
    const { data } = windowAnswer.safeParse(json);
    if (data === undefined) throw new Error(`answered ${status} with a body that has no windowId`);
    if (!this.#isOwn(data.windowId)) {
      throw new Error(`answered ${status} for window ${data.windowId}, which this run has not begun`);
    }
    return decision;
  }
}

/** The reason in an answer with an error. */
export function reasonOf(json: unknown): string {
  const refusal = errorAnswer.safeParse(json);
  if (!refusal.success) return 'no reason given';
  return truncate(`${refusal.data.error.code}: ${refusal.data.error.message}`, 200);
}
