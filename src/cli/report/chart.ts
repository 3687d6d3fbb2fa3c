/** Plots as SVG, drawn without a browser. Colours are CSS variables, for dark and light pages. */
import { LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, MarkAreaComponent, MarkLineComponent } from 'echarts/components';
import { type EChartsCoreOption, init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { MIN_LOG, type Plot, type PlotLine } from './plot.ts';
import { escaped } from './text.ts';

use([LineChart, ScatterChart, GridComponent, MarkAreaComponent, MarkLineComponent, SVGRenderer]);

/** Pixels of a drawing, which scales with the page. */
const SIZE = { width: 660, height: 280 };

const FONT = { fontSize: 12, fontFamily: 'inherit', color: 'var(--muted)' };
/** Lines also differ by dashes, for readers who cannot distinguish the colours. */
const STYLES = {
  0: { color: 'var(--line-0)', width: 2.5, type: 'solid' },
  1: { color: 'var(--line-1)', width: 2, type: [7, 4] },
  2: { color: 'var(--line-2)', width: 2, type: [2, 3] },
  3: { color: 'var(--line-3)', width: 2, type: [9, 3, 2, 3] },
  faint: { color: 'var(--faint)', width: 1.25, type: 'solid' },
} as const;
/** Symbols of dots. */
const SYMBOLS = { 0: 'circle', 1: 'diamond', 2: 'triangle', 3: 'rect', faint: 'circle' } as const;
/** Marks closer than this share of the axis have one label; much closer, one line. */
const NEAR = 0.12;
const SAME = 0.008;
/** Space above the highest value of a plot, as a share of it; on a logarithmic axis, as a factor. */
const HEADROOM = { share: 0.1, factor: 2 };

/** One `svg` element. @param prefix of the names in it, unique in the page */
export function chartSvg(plot: Plot, prefix: string): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, ...SIZE });
  try {
    chart.setOption(optionOf(plot));
    return cleanedSvg(chart.renderToSVGString(), plot, `${prefix}${plot.key}-`);
  } finally {
    // Otherwise the process does not end.
    chart.dispose();
  }
}

/** Removes what the library writes for pages with scripts, and adds a label for screen readers. */
function cleanedSvg(svg: string, { title }: Plot, prefix: string): string {
  return (
    svg
      .replace(/<style\s*>.*?<\/style>/s, '')
      .replaceAll(/ (?:ecmeta_\w+|class|pointer-events|xml:space)="[^"]*"/g, '')
      // The library counts its charts; without the count, the same run gives the same page.
      .replaceAll(/\bzr\d+-/g, prefix)
      .replace('<svg ', `<svg role="img" aria-label="${escaped(title)}. The table below has its figures." `)
  );
}

function optionOf(plot: Plot): EChartsCoreOption {
  const inMs = plot.toMs - plot.fromMs < 2000;
  return {
    animation: false,
    grid: { left: 52, right: 14, top: 24, bottom: 44 },
    xAxis: {
      type: 'value',
      min: plot.fromMs,
      max: Math.max(plot.toMs, plot.fromMs + 0.1),
      ...(inMs ? {} : { minInterval: 1000 }),
      splitNumber: 8,
      name: `${inMs ? 'milliseconds' : 'seconds'} since ${plot.since}`,
      nameLocation: 'middle',
      nameGap: 26,
      nameTextStyle: FONT,
      axisLabel: {
        ...FONT,
        showMinLabel: false,
        showMaxLabel: false,
        hideOverlap: true,
        formatter: (ms: number) =>
          inMs ? String(Math.round(ms * 100) / 100) : String(Math.round(ms / 100) / 10),
      },
      axisLine: { onZero: false, lineStyle: { color: 'var(--axis)' } },
      axisTick: { lineStyle: { color: 'var(--axis)' } },
      splitLine: { show: false },
    },
    yAxis: {
      type: plot.log ? 'log' : 'value',
      ...(plot.log ? { min: MIN_LOG } : {}),
      max: topOf(plot),
      minInterval: plot.unit === 'requests' ? 1 : 0,
      splitNumber: 4,
      // The end of the axis is not a round number.
      axisLabel: { ...FONT, showMaxLabel: false },
      axisLine: { show: false },
      axisTick: { show: false },
      splitLine: { showMaxLine: false, lineStyle: { color: 'var(--grid)' } },
    },
    series: plot.lines.map((line, i) => ({
      ...seriesOf(line, plot),
      // Bands and marks belong to the plot; the library attaches them to a series.
      ...(i === 0 ? { markArea: areasOf(plot), markLine: marksOf(plot) } : {}),
    })),
  };
}

function topOf({ bound, lines, log }: Plot): number {
  const values = lines.flatMap(({ points }) => points.map(([, value]) => value));
  const most = Math.max(bound?.value ?? 0, ...values);
  const top = log ? Math.max(most, MIN_LOG) * HEADROOM.factor : most * (1 + HEADROOM.share);
  return Math.min(Number.MAX_VALUE, most > 0 ? top : 1);
}

function seriesOf({ colour, holds, points }: PlotLine, { log, toMs, unit }: Plot) {
  const { color, type, width } = STYLES[colour];
  const shown = points.map(([at, value]): [number, number] => [at, log ? Math.max(value, MIN_LOG) : value]);
  const last = shown.at(-1);
  if (holds && last) shown.push([toMs, last[1]]);
  if (unit === 'ms') {
    return {
      type: 'scatter',
      symbol: SYMBOLS[colour],
      symbolSize: 5,
      itemStyle: { color, opacity: 0.8 },
      data: shown,
    };
  }
  return {
    type: 'line',
    // A single point has no line.
    showSymbol: points.length === 1,
    symbol: 'circle',
    symbolSize: 6,
    itemStyle: { color },
    lineStyle: { color, width, type },
    data: shown,
  };
}

function areasOf({ bands, fromMs, toMs }: Plot) {
  const span = toMs - fromMs;
  // For a burst, show only the bursts.
  const shown = bands.some(({ kind }) => kind === 'burst')
    ? bands.filter(({ kind }) => kind !== 'fault')
    : bands;
  return {
    data: shown.map(({ fromMs: from, kind, toMs: to }, i) => [
      {
        xAxis: from,
        // A band as narrow as a line is drawn as dark as a line.
        itemStyle: { color: `var(--band-${kind === 'burst' && to - from > 0.08 * span ? 'fault' : kind})` },
        label: {
          ...FONT,
          show: to - from > 0.08 * span || (kind === 'burst' && shown[i - 1]?.kind !== 'burst'),
          formatter: kind,
          position: 'insideTop',
        },
      },
      // A burst takes milliseconds: give it a minimum width.
      { xAxis: Math.max(to, from + 0.004 * span) },
    ]),
  };
}

function marksOf({ bound, fromMs, marks, toMs }: Plot) {
  const label = { ...FONT, color: 'var(--text)', fontWeight: 600 };
  const near = NEAR * (toMs - fromMs);
  const [first, second] = marks;
  const apart = first && second && Math.abs(second.atMs - first.atMs);
  const joined = apart !== undefined && apart < near;
  const isSame = apart !== undefined && apart < SAME * (toMs - fromMs);
  const drawn = isSame ? marks.filter((mark) => mark !== second) : marks;
  return {
    symbol: 'none',
    data: [
      ...(bound
        ? [
            {
              yAxis: bound.value,
              label: { ...label, formatter: bound.text, position: 'insideEndTop' },
              lineStyle: { color: 'var(--text)', width: 1.25, type: [4, 3] },
            },
          ]
        : []),
      ...drawn.map(({ atMs, text }, i) => ({
        xAxis: atMs,
        label: {
          ...label,
          show: !joined || i === 0,
          formatter: joined ? `${first?.text}, ${second?.text}` : text,
          distance: 4,
        },
        lineStyle: { color: 'var(--text)', width: 0.75, type: 'solid' },
      })),
    ],
  };
}
