/** A report as a few lines of Markdown, for the comment of a pull request. Pure. */
import { diagnosedBy, diagnosedClass, fallbackReason } from '../../api/index.ts';
import { adviceSentence } from '../diagnosis.ts';
import type { Report } from './report.ts';
import { timeText } from './text.ts';

const SIGNS: Readonly<Record<Report['tone'], string>> = {
  good: '✅',
  bad: '❌',
  none: '⚠️',
  active: '▶️',
};
const FINDING_SIGNS = { good: '🟢', bad: '🔴', none: '🟡' };

/** Markdown of GitHub and GitLab, with a final line break. */
export function reportMarkdown(report: Report): string {
  const { advice, headline, missing, name, namespace, run, scenarios, took, tone, verdict } = report;
  const rows = scenarios.map(({ finding, gate, status }) => [
    status.name,
    `${FINDING_SIGNS[finding.tone]} ${finding.word}`,
    finding.figure,
    status.expect,
    gate,
  ]);
  const diagnoses = scenarios.flatMap(({ diagnosis, status }) => {
    if (!diagnosis) return [];
    const claims = diagnosis.full?.chain.map(({ text }) => ` ${text}`).join('') ?? '';
    const reason = fallbackReason(diagnosis);
    const isFault = diagnosis.recommendation === undefined ? adviceSentence(diagnosis) : undefined;
    const made = `${diagnosedClass(diagnosis)}, by ${diagnosedBy(diagnosis)}`;
    return [
      `${status.name}: ${made}.${claims}${isFault === undefined ? '' : ` ${isFault}`}`,
      ...(reason === undefined ? [] : [`${status.name}: ${reason}`]),
    ];
  });
  const about = [
    `run ${run.number} of ${namespace}/${name}`,
    run.runId && `run ID ${run.runId}`,
    took && `took ${took}`,
    run.completedAt && `ended ${timeText(run.completedAt)}`,
  ];
  return `${[
    `### ${SIGNS[tone]} ${inline(headline)}`,
    ...(verdict.phase === 'Succeeded' ? [] : [inline(verdict.message)]),
    ...(rows.length === 0 ? [] : [table(['scenario', 'found', 'measured', 'expected', 'gate'], rows)]),
    listOf(
      'What to do',
      advice.map(({ scenario, text }) => (scenario === undefined ? text : `${scenario}: ${text}`)),
    ),
    ...(diagnoses.length === 0 ? [] : [listOf('Why', diagnoses)]),
    ...(missing.length === 0 ? [] : [listOf('Missing from this report', missing)]),
    `**${inline(verdict.phase)}** ${inline(`(${verdict.reason}), ${about.filter(Boolean).join(', ')}.`)}`,
  ].join('\n\n')}\n`;
}

function listOf(title: string, items: readonly string[]): string {
  return `**${title}**\n\n${items.map((item) => `- ${inline(item)}`).join('\n')}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map((row) => line(row.map(inline)))].join('\n');
}

/** Invisible: the text after it is no name, number or address to a forge. It is in no printable text. */
const APART = '\u200b';

/**
 * Untrusted text as part of a line, plain text only: no HTML, link, image, emphasis or list, and no mention, reference
 * or address that a forge would detect in the rendered text.
 */
export function inline(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replace(/^(\d+)(?=[.)])/, `$1${APART}`)
    .replace(/^(?=[-+=:>])/, APART)
    .replaceAll(/[@#!~%$&](?=\S)/g, `$&${APART}`)
    .replaceAll(/:(?=\/\/)/g, `:${APART}`)
    .replaceAll(/www\./gi, `$&${APART}`)
    .replaceAll(/GH-(?=\d)/gi, `$&${APART}`)
    .replaceAll(/[&<>"]/g, (character) => `&#${character.codePointAt(0)};`)
    .replaceAll(/[\\`*_{}[\]~|^$!]|#(?!\d+;)/g, (character) => `\\${character}`)
    .replaceAll(APART, '&#8203;');
}
