import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recordedRun, withTextsOf } from '../../../test/fixtures/cli/report/report.ts';
import { hostile } from '../../../test/fixtures/cli/view/hostile-text.ts';
import { reportHtml } from './html.ts';
import { type Report, type ReportSource, reportOf } from './report.ts';
import { escaped } from './text.ts';

const page = (source: ReportSource): string => reportHtml(reportOf(source) as Report);
const recorded = page(recordedRun());

describe('the page of a run', () => {
  it('needs nothing but itself', () => {
    const namespaces = new Set(['http://www.w3.org/2000/svg', 'http://www.w3.org/1999/xlink']);
    const addresses = [...recorded.matchAll(/https?:\/\/[^"' <]+/g)].map(([address]) => address);
    expect(addresses.filter((address) => !namespaces.has(address))).toEqual([]);
    expect(recorded).not.toMatch(
      /<(script|link|img|iframe|object|embed|base|form)\b|\s(src|on\w+)=|url\((?!#)|@import/i,
    );
    expect(recorded).toContain("default-src 'none'");
  });

  it('links each claim to what it cites', () => {
    const ids = [...recorded.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const links = [...recorded.matchAll(/href="#([^"]*)"/g)].map(([, id]) => id);
    expect(links.filter((id) => !ids.includes(id))).toEqual([]);
    expect(links.filter((id) => /^c[12]-s\d+$/.test(id ?? '')).length).toBeGreaterThan(8);
  });

  it('has a table for each plot, with a name for a screen reader', () => {
    const figures = recorded.match(/<figure>.*?<\/figure>/gs) ?? [];
    expect(figures.length).toBeGreaterThanOrEqual(6);
    for (const figure of figures) {
      expect(figure).toContain('<table>');
      expect(figure.match(/<svg role="img" aria-label="[^"]+"/g)).toHaveLength(1);
    }
  });

  it('colours by what was found, and shows the gate without a colour', () => {
    expect(recorded).toContain('<header class="tone-bad">');
    expect(recorded).toMatch(/<span class="chip bad">violation<\/span> <span class="chip gate">Gate: passed/);
    expect(recorded).not.toContain('chip good');
  });

  it('takes no count for 0 that was left out of the evidence', () => {
    const { demo, evidence } = recordedRun();
    for (const { bundle } of evidence.scenarios) {
      bundle.series = bundle.series.filter(({ component }) => component !== 'replica-3');
      const first = bundle.series.find(({ signal }) => signal === 'requests-sent');
      if (first) bundle.series.push({ ...first, id: 's99', component: 'replica-3' });
    }
    const thin = page({ demo, evidence: { ...evidence, leftOut: 'some series' } });
    expect(thin).toContain('<td>not known</td>');
    expect(thin).toContain('<td>at least 20</td>');
    expect(recorded).not.toContain('<td>not known</td>');
  });
});

describe('texts of a cluster', () => {
  const attack = `x<script>alert(1)</script><img src=y onerror=z>"'></style></svg>&<!--\u0000\u001b[2J\ud800\u202e##[error]`;

  it('stay text in the page, whatever they are', () => {
    const skeleton = (text: string) => withTextsOf(recordedRun(), text);
    const tags = (text: string) => text.match(/<[^>]*>/g);
    const attacked = page(skeleton(attack));
    expect(tags(attacked)).toEqual(tags(page(skeleton('x'))));
    expect(attacked).not.toMatch(/[^\P{Cc}\n]|\u202e|\ud800|##\[/u);
  });

  it('stay text between tags and in attributes: any text', () => {
    fc.assert(
      fc.property(fc.oneof(hostile, fc.string({ unit: 'binary' })), (text) => {
        expect(escaped(text)).not.toMatch(/[<>"']|##|&(?!(amp|lt|gt|quot|#39|#35);)/);
      }),
      { numRuns: 300 },
    );
  });
});
