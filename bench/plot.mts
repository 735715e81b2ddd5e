import type { Growth } from './growth.mjs';

const panel = { width: 300, height: 260, left: 52, right: 14, top: 34, bottom: 46 };
/** What every panel shows at least, as powers of ten. */
const usual = { lowest: 0, highest: 4 };

const style = `
  text { font: 12px sans-serif; fill: #24292f }
  .title { font-weight: bold }
  .grid { stroke: #d0d7de }
  .line { fill: none; stroke-width: 2 }
  .cold { stroke: #bc4c00 } .cold-text { fill: #bc4c00 }
  .warm { stroke: #0969da } .warm-text { fill: #0969da }
  circle { fill: #fff; stroke-width: 2 }
  .back { fill: #fff }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .grid { stroke: #444c56 }
    .cold { stroke: #f0883e } .cold-text { fill: #f0883e }
    .warm { stroke: #58a6ff } .warm-text { fill: #58a6ff }
    circle, .back { fill: #0d1117 }
  }`;

/** A place in the picture. */
type Scale = (value: number) => number;

/** Draws one panel for each axis, side by side: microseconds on a logarithmic scale. Follows the reader's colour scheme. */
export function drawGrowth(growths: readonly Growth[]): string {
  const width = panel.width * growths.length;
  const panels = growths.map(
    (growth, index) => `<g transform="translate(${index * panel.width} 0)">${draw(growth)}</g>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${panel.height}" role="img">`,
    '<title>Microseconds for a request that is new and for one seen before, and for a CRL to be decoded and looked into</title>',
    `<style>${style}\n</style>`,
    `<rect class="back" width="${width}" height="${panel.height}"/>`,
    ...panels,
    '</svg>',
    '',
  ].join('\n');
}

function draw({ title, places, cold, warm, names = ['new', 'seen before'] }: Growth): string {
  const decades = decadesOver([...cold, ...warm]);
  const y = scaleOver(decades);
  const right = panel.width - panel.right;
  const x = (index: number): number => panel.left + 14 + (index * (right - panel.left - 28)) / (places.length - 1);
  const grid = decades.map(
    (value) =>
      `<path class="grid" d="M${panel.left} ${y(value)}H${right}"/>` +
      `<text x="${panel.left - 6}" y="${y(value) + 4}" text-anchor="end">${label(value)}</text>`,
  );
  const ticks = places.map(
    (place, index) =>
      `<text x="${x(index)}" y="${panel.height - panel.bottom + 18}" text-anchor="middle">${label(place)}</text>`,
  );
  return [
    ...grid,
    ...ticks,
    `<text x="6" y="18">\u00b5s</text>`,
    `<text class="title" x="${(panel.left + right) / 2}" y="${panel.height - 8}" text-anchor="middle">${title}</text>`,
    `<text class="cold-text" x="${right - 90}" y="18" text-anchor="end">${names[0]}</text>`,
    `<text class="warm-text" x="${right}" y="18" text-anchor="end">${names[1]}</text>`,
    series('cold', cold, x, y),
    series('warm', warm, x, y),
  ].join('\n');
}

function series(kind: 'cold' | 'warm', values: readonly number[], x: Scale, y: Scale): string {
  const points = values.map((value, index) => [x(index).toFixed(1), y(value).toFixed(1)] as const);
  const line = `<polyline class="line ${kind}" points="${points.map((point) => point.join(',')).join(' ')}"/>`;
  const dots = points.map(([cx, cy]) => `<circle class="${kind}" cx="${cx}" cy="${cy}" r="3"/>`);
  return `${line}${dots.join('')}`;
}

/** Powers of ten, from the one below every value to the one above. */
function decadesOver(values: readonly number[]): readonly number[] {
  const exponents = values.map((value) => Math.log10(value));
  const lowest = Math.floor(Math.min(usual.lowest, ...exponents));
  const highest = Math.ceil(Math.max(usual.highest, ...exponents));
  return Array.from({ length: highest - lowest + 1 }, (_, index) => 10 ** (lowest + index));
}

function scaleOver(decades: readonly number[]): Scale {
  const [lowest, highest] = [decades[0] as number, decades.at(-1) as number];
  return (microseconds) => {
    const share = Math.log(microseconds / lowest) / Math.log(highest / lowest);
    return panel.height - panel.bottom - share * (panel.height - panel.bottom - panel.top);
  };
}

/** Short where there is no room for every digit. */
function label(value: number): string {
  return value.toLocaleString('en-US', value < 100_000 ? {} : { notation: 'compact' });
}
