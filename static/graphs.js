// Graphs of the box, drawn by uPlot: the server's history first, then every sample as it comes. One crosshair goes
// through all of them; the figures under it stand beside the titles. Nothing moves but the lines, once for each sample.
const GAP_SECONDS = { 300: 12, 3600: 40 }; // Further apart nobody looked in between: nothing is drawn there.
const HEIGHT_PX = 132;
const AXIS_PX = 44;
const EDGE_SHARE = 0.12; // Of the time that is shown: as broad as half a time of day.

const room = document.getElementById("graphs");
const range = document.getElementById("graph-range");
const graphs = new Map(); // By element.
const samples = new Map(); // By source: the oldest first.
let spanSeconds = Number(new FormData(range).get("range"));

// Figures ----------------------------------------------------------------------------------------
const number = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const clockFace = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const sizes = ["B", "kB", "MB", "GB", "TB"];

function bytesText(bytes) {
  let value = bytes;
  let unit = 0;
  for (; value >= 999.5 && unit < sizes.length - 1; unit += 1) value /= 1000;
  return `${(value < 99.95 && unit > 0 ? number : whole).format(value)} ${sizes[unit]}`;
}

const units = {
  percent: (value) => `${whole.format(value)} %`,
  bytes: bytesText,
  celsius: (value) => `${whole.format(value)} °C`,
  watts: (value) => `${whole.format(value)} W`,
  milliseconds: (value) => `${number.format(value)} ms`,
  seconds: (value) => `${whole.format(value)} s`,
  count: (value) => number.format(value),
};

const said = (value, unit) => (value == null ? "–" : units[unit](value));

// Colours ----------------------------------------------------------------------------------------
// The canvas knows no variables of style sheets: what they come to, light or dark, is read from elements that wear them.
const worn = document.createElement("div");
worn.className = "graph-colors";
worn.hidden = true;
const wearer = (name) => {
  const element = worn.appendChild(document.createElement("i"));
  element.className = name;
  return element;
};
const wearers = {
  text: wearer("graph-text"),
  grid: wearer("graph-grid"),
  lines: [1, 2, 3].map((number) => wearer(`graph-line-${number}`)),
};
document.body.append(worn);
const colorOf = (element) => getComputedStyle(element).color;
const textColor = () => colorOf(wearers.text);
const gridColor = () => colorOf(wearers.grid);
const lineColor = (place) => colorOf(wearers.lines[place]);
const font = () => `11px ${getComputedStyle(wearers.text).fontFamily}`;

/** The same colour, as good as clear: "rgb(1, 2, 3)" and "color(srgb 0 0 0)" alike. */
const thin = (color) =>
  color.replace(/\)$/, color.includes(",") ? ", 0.12)" : " / 0.12)").replace(/^rgb\(/, "rgba(");

// Samples ----------------------------------------------------------------------------------------
const secondsOf = ({ takenAt }) => Date.parse(takenAt) / 1000;

/** Columns for uPlot, with an empty place wherever nobody looked. */
function columnsOf(source, lines) {
  const columns = [[], ...lines.map(() => [])];
  let before = null;
  for (const sample of samples.get(source) ?? []) {
    const at = secondsOf(sample);
    if (before !== null && at - before > GAP_SECONDS[spanSeconds]) {
      columns.forEach((column, place) => {
        column.push(place === 0 ? (before + at) / 2 : null);
      });
    }
    before = at;
    columns[0].push(at);
    lines.forEach(({ figure }, place) => {
      columns[place + 1].push(sample[figure] ?? null);
    });
  }
  return columns;
}

function addSample(source, sample) {
  const kept = samples.get(source) ?? [];
  const last = kept.at(-1);
  if (last && secondsOf(last) >= secondsOf(sample)) return;
  kept.push(sample);
  const oldest = secondsOf(sample) - spanSeconds;
  while (kept.length > 0 && secondsOf(kept[0]) < oldest) kept.shift();
  samples.set(source, kept);
}

let asking = 0;

async function fetchHistory() {
  asking += 1;
  const mine = asking;
  const ask = (address) =>
    fetch(`${address}?history=${spanSeconds}`)
      .then((answer) => (answer.ok ? answer.json() : null))
      .catch(() => null);
  const [devices, load] = await Promise.all([
    ask(room.dataset.devicesAddress),
    ask(room.dataset.loadAddress),
  ]);
  if (mine !== asking) return;
  for (const { uuid, history } of devices?.devices ?? []) if (uuid) samples.set(uuid, history);
  if (load?.history) samples.set("machine", load.history);
  drawAll();
}

// Drawing ----------------------------------------------------------------------------------------
function shownIn(figure, place) {
  const keys = figure.querySelectorAll("[data-value]");
  const { plot, lines, columns } = graphs.get(figure);
  lines.forEach(({ unit }, line) => {
    const column = columns[line + 1];
    const value = place == null ? column.findLast((each) => each !== null) : column[place];
    const words = said(value, unit);
    if (keys[line].textContent !== words) keys[line].textContent = words;
  });
  const at = place == null ? null : plot.data[0][place];
  figure.dataset.at = at == null ? "" : new Date(at * 1000).toLocaleTimeString();
}

/** What stands at an axis: round, with its unit, and nothing twice. */
function axisOf(unit, side, scale) {
  return {
    ...{ scale, side, size: AXIS_PX, gap: 4, font: font() },
    stroke: textColor,
    grid: { show: side !== 1, stroke: gridColor, width: 1 },
    ticks: { show: false },
    space: 34,
    ...(unit === "count" ? { incrs: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 5000] } : {}),
    ...(unit === "bytes" ? { incrs: byteSteps } : {}),
    values: (_plot, splits) => splits.map((value) => units[unit](value)),
  };
}
const byteSteps = [1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12].flatMap((size) => [
  size,
  2 * size,
  5 * size,
]);
const leastTop = { percent: 100, celsius: 60, watts: 50, milliseconds: 10, count: 4, bytes: 1e8 };

function topOf(figure, unit) {
  return (_plot, _least, most) => {
    const { top, source } = graphs.get(figure) ?? {};
    const newest = samples.get(source)?.at(-1);
    const told = typeof top === "string" ? newest?.[top] : top;
    return [0, told ?? Math.max(leastTop[unit] ?? 1, (most ?? 0) * 1.1)];
  };
}

function optionsOf(figure, lines, body) {
  const [first] = lines;
  const other = lines.find(({ unit }) => unit !== first.unit);
  const scaleOf = ({ unit }) => (unit === first.unit ? "y" : "other");
  return {
    ...{ width: Math.max(120, body.clientWidth), height: HEIGHT_PX, legend: { show: false } },
    padding: [8, other ? 0 : 8, 0, 0],
    cursor: {
      ...{ sync: { key: "system" }, drag: { x: false, y: false }, y: false },
      points: { size: 6 },
    },
    scales: {
      x: { range: () => [Date.now() / 1000 - spanSeconds, Date.now() / 1000] },
      y: { range: topOf(figure, first.unit) },
      ...(other ? { other: { range: topOf(figure, other.unit) } } : {}),
    },
    axes: [
      {
        ...{ stroke: textColor, size: 22, gap: 2, ticks: { show: false }, space: 56 },
        ...{ grid: { show: false }, font: font() },
        incrs: [60, 120, 300, 600, 900, 1800],
        // At the left edge it would stand on the other axis.
        values: (plot, splits) =>
          splits.map((at) =>
            at - plot.scales.x.min < spanSeconds * EDGE_SHARE ? "" : clockFace.format(at * 1000),
          ),
      },
      axisOf(first.unit, 3, "y"),
      ...(other ? [axisOf(other.unit, 1, "other")] : []),
    ],
    series: [
      {},
      ...lines.map((line, place) => ({
        ...{ scale: scaleOf(line), width: 1.75, points: { show: false } },
        stroke: () => lineColor(place),
        ...(place === 0 ? { fill: () => thin(lineColor(0)) } : {}),
      })),
    ],
    hooks: { setCursor: [(plot) => shownIn(figure, plot.cursor.idx)] },
  };
}

function draw(figure) {
  const known = graphs.get(figure);
  const { source, lines, top } = known ?? JSON.parse(figure.dataset.graph);
  const columns = columnsOf(source, lines);
  if (columns[0].length === 0) return;
  if (known?.plot) {
    known.columns = columns;
    known.plot.setData(columns);
  } else {
    const body = figure.querySelector(".graph-body");
    body.replaceChildren();
    graphs.set(figure, { source, lines, top, columns, plot: null });
    const plot = new uPlot(optionsOf(figure, lines, body), columns, body);
    graphs.get(figure).plot = plot;
    resized.observe(body);
  }
  if (graphs.get(figure).plot.cursor.idx == null) shownIn(figure, null);
}

const resized = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    const known = graphs.get(target.closest(".graph"));
    const width = Math.round(contentRect.width);
    if (known?.plot && width > 0 && width !== known.plot.width) {
      known.plot.setSize({ width, height: HEIGHT_PX });
    }
  }
});

/** Keys and presses come between two graphs: on a slow machine each takes a tenth of a second. */
const pause = () => new Promise((go) => setTimeout(go, 0));

/** Devices come and go with the panel: what is no longer on the page is let go. */
async function drawAll(source = null) {
  for (const [figure, { plot }] of graphs) {
    if (figure.isConnected) continue;
    plot?.destroy();
    graphs.delete(figure);
  }
  for (const figure of document.querySelectorAll("[data-graph]")) {
    if (!figure.isConnected) continue;
    const wanted = graphs.get(figure)?.source ?? JSON.parse(figure.dataset.graph).source;
    if (source !== null && wanted !== source) continue;
    draw(figure);
    await pause();
  }
}

function redrawAll() {
  for (const { plot } of graphs.values()) plot?.redraw();
}

// News -------------------------------------------------------------------------------------------
document.body.addEventListener("machine-sample", ({ detail }) => {
  addSample("machine", JSON.parse(detail.data));
  drawAll("machine");
});
document.body.addEventListener("gpu-samples", ({ detail }) => {
  for (const [uuid, sample] of Object.entries(JSON.parse(detail.data))) {
    addSample(uuid, sample);
    drawAll(uuid);
  }
});
// After a pause, be it of the connection or of a hidden tab, what happened meanwhile is fetched.
document.addEventListener("htmx:sse:after:connection", fetchHistory);
document.addEventListener("htmx:after:swap", () => drawAll());

range.addEventListener("change", () => {
  spanSeconds = Number(new FormData(range).get("range"));
  const address = new URL(location.href);
  address.searchParams.set("range", String(spanSeconds));
  history.replaceState(null, "", address);
  for (const { plot } of graphs.values()) plot?.setCursor({ left: -10, top: -10 });
  fetchHistory();
});

new MutationObserver(redrawAll).observe(document.documentElement, {
  attributes: true,
  attributeFilter: ["data-theme"],
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);
fetchHistory();
