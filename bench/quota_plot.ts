/** One line of the plot: milliseconds for each size of history. */
export interface Line {
  name: string;
  color: string;
  dashed: boolean;
  points: { events: number; milliseconds: number }[];
}

const WIDTH = 720;
const HEIGHT = 420;
const AREA = { left: 70, right: 210, top: 50, bottom: 60 };

/** An SVG with two logarithmic axes, readable on a light and on a dark page. */
export function plot(title: string, lines: Line[]): string {
  const all = lines.flatMap(({ points }) => points);
  const x = logScale(all.map(({ events }) => events), AREA.left, WIDTH - AREA.right);
  const y = logScale(all.map(({ milliseconds }) => milliseconds), HEIGHT - AREA.bottom, AREA.top);
  const parts = [
    `<rect width="${WIDTH}" height="${HEIGHT}" rx="8" fill="#fff"/>`,
    text(AREA.left, 28, title, `font-size="16" font-weight="600"`),
    ...y.ticks.map((tick) => gridLine(y.at(tick), duration(tick))),
    ...[...new Set(all.map(({ events }) => events))].map((events) =>
      text(x.at(events), HEIGHT - AREA.bottom + 22, count(events), `text-anchor="middle"`)
    ),
    text(
      (AREA.left + WIDTH - AREA.right) / 2,
      HEIGHT - 14,
      "usage events of history",
      `text-anchor="middle" fill="#555"`,
    ),
    ...lines.map((line) => drawLine(line, x.at, y.at)),
    ...lines.map((line, i) => legend(line, AREA.top + 12 + i * 24)),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" ` +
    `font-family="system-ui, sans-serif" font-size="12" fill="#222" role="img" aria-label="${title}">\n` +
    `${parts.join("\n")}\n</svg>\n`;
}

function logScale(values: number[], from: number, to: number) {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(Math.ceil(Math.log10(Math.max(...values))), low + 1);
  return {
    at: (value: number) => from + (Math.log10(value) - low) / (high - low) * (to - from),
    ticks: Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i)),
  };
}

function gridLine(y: number, name: string): string {
  return `<line x1="${AREA.left}" x2="${WIDTH - AREA.right}" y1="${round(y)}" y2="${
    round(y)
  }" stroke="#ddd"/>` +
    text(AREA.left - 8, y + 4, name, `text-anchor="end"`);
}

function drawLine(
  { points, color, dashed }: Line,
  x: (n: number) => number,
  y: (n: number) => number,
): string {
  const places = points.map(({ events, milliseconds }) => [round(x(events)), round(y(milliseconds))]);
  return `<polyline points="${
    places.map((place) => place.join(",")).join(" ")
  }" fill="none" stroke="${color}" ` +
    `stroke-width="2"${dashed ? ` stroke-dasharray="5 4"` : ""}/>` +
    places.map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="3.5" fill="${color}"/>`).join("");
}

function legend({ name, color, dashed }: Line, y: number): string {
  const x = WIDTH - AREA.right + 20;
  return `<line x1="${x}" x2="${x + 24}" y1="${y - 4}" y2="${y - 4}" stroke="${color}" stroke-width="2"` +
    `${dashed ? ` stroke-dasharray="5 4"` : ""}/>${text(x + 32, y, name)}`;
}

const text = (x: number, y: number, content: string, attributes = "") =>
  `<text x="${round(x)}" y="${round(y)}" ${attributes}>${content}</text>`;

const round = (value: number) => Math.round(value * 10) / 10;
const duration = (ms: number) => ms >= 1000 ? `${ms / 1000} s` : `${Number(ms.toPrecision(1))} ms`;

/** 10k, 1M, 10M */
export const count = (value: number) =>
  value >= 1e6 ? `${value / 1e6}M` : value >= 1e3 ? `${value / 1e3}k` : `${value}`;
