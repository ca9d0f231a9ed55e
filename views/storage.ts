/** Where files are: what is set, whether it works, the move from one storage to another, the check. For admins. */
import type { MigrationReport } from "../src/assets/migration.ts";
import type { StockReport } from "../src/assets/stocktaking.ts";
import type { Config } from "../src/config.ts";
import { button } from "./components/button.ts";
import { card } from "./components/card.ts";
import { callout } from "./components/notice.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import type { Viewer } from "./layout.ts";
import { sizeText } from "./quantities.ts";
import { settingsPage } from "./settings-frame.ts";
import { texts } from "./texts/texts.ts";
import { timeText } from "./times.ts";

const words = texts.settings.store;

/** One thing that was tried. */
export interface ShownTrial {
  step: string;
  level: "ok" | "warning" | "fault";
  meaning: string;
  remedy: string | null;
}

export interface StorageView {
  settings: Config["storage"];
  /** Whether a secret key is known; the key itself is shown to nobody. */
  hasSecret: boolean;
  freeBytes: number | null;
  usedBytes: number;
  assetCount: number;
  /** Null when nothing lies elsewhere. */
  move: MigrationReport | null;
  stock: StockReport;
  said: string | null;
}

export function storagePage(viewer: Viewer, view: StorageView): Html {
  const body = html`<div class="settings-pair">${nowCard(view)}${testCard(null)}</div>
${moveCard(view.move)}${checkCard(view.stock)}`;
  return settingsPage(viewer, { part: "storage", body, said: view.said });
}

const row = (title: string, value: Html | string) =>
  html`<div><dt>${title}</dt><dd hx-ignore>${value}</dd></div>`;

function nowCard(view: StorageView): Html {
  const { settings, freeBytes, usedBytes, assetCount, hasSecret } = view;
  const { kind, s3 } = settings;
  const bucket =
    kind === "disk"
      ? null
      : html`${row(words.bucket, s3.bucket)}${row(words.endpoint, s3.endpoint === "" ? words.aws : s3.endpoint)}${row(words.region, s3.region)}
${s3.prefix === "" ? null : row(words.prefix, s3.prefix)}${row(words.access, s3.accessKeyId === "" ? words.isNotSet : s3.accessKeyId)}
${row(words.secret, hasSecret ? words.isSet : words.isNotSet)}${row(words.direct, s3.direct ? texts.settings.on : texts.settings.off)}`;
  const body = html`<dl class="pairs">${row(words.kind, kind === "disk" ? words.disk : words.s3)}${bucket}
${row(words.used, `${words.files(assetCount)}, ${sizeText(usedBytes)}`)}${freeBytes === null ? null : row(words.free, sizeText(freeBytes))}</dl>
<p class="hint">${words.ofHost}</p>`;
  return card({ id: "storage-now", title: words.now, body });
}

/** `POST /settings/storage/test` answers with it. @param trials null: not tried yet */
export function testCard(trials: readonly ShownTrial[] | null): Html {
  const request = {
    method: "post",
    address: "/settings/storage/test",
    target: "#storage-test",
    swap: "outerHTML",
  } as const;
  const bad = trials?.some(({ level }) => level === "fault") ?? false;
  const found =
    trials === null
      ? null
      : html`${callout({ tone: bad ? "bad" : "good", spoken: true, text: bad ? words.bad : words.good })}
<ul class="check-steps">${trials.map(({ step, level, meaning, remedy }) => html`<li>${icon(level === "ok" ? "check" : "warning")}<span><strong>${words.steps[step] ?? step}</strong> <span hx-ignore>${meaning} ${remedy}</span></span></li>`)}</ul>`;
  const body = html`<p class="muted">${words.testText}</p>${found}<div class="form-end">${button({ label: words.test, request })}</div>`;
  return card({ id: "storage-test", title: words.test, body });
}

function moveCard(move: MigrationReport | null): Html {
  const title = words.move;
  if (move === null || (move.state === "done" && move.left.objects === 0)) {
    const body = html`<p>${words.nothingElsewhere}</p><p class="hint">${words.howTo}</p>`;
    return card({ id: "storage-move", title, across: true, body });
  }
  const { state, from, left, moved, faults } = move;
  const place = from === "disk" ? words.fromDisk : words.fromS3;
  const total = left.bytes + moved.bytes;
  const start = { title: words.moveTitle, text: words.moveText, yes: words.moveNow };
  const stop = { title: words.stopTitle, text: words.stopText, yes: words.stop };
  const address = "/settings/storage/move";
  const act =
    state === "moving"
      ? button({ label: words.stop, request: { method: "delete", address, question: stop } })
      : button({ label: words.moveNow, request: { method: "post", address, question: start } });
  const inside = html`<p>${words.elsewhere(left.objects, sizeText(left.bytes), place)}</p>
<progress max="${Math.max(1, total)}" value="${moved.bytes}" aria-label="${words.move}"></progress>
<p class="muted">${words.moved(moved.objects, sizeText(moved.bytes))}</p>
${faults.length === 0 ? null : html`<p>${words.faults}:</p><ul hx-ignore>${faults.map(({ key, fault }) => html`<li><code>${key}</code> ${fault}</li>`)}</ul>`}
<div class="form-end">${act}</div>`;
  return live(
    state === "moving",
    "move",
    card({ id: "storage-move", title, across: true, body: inside }),
  );
}

function checkCard(stock: StockReport): Html {
  const { state, objects, orphans, missing, damaged, problem, finishedAt } = stock;
  const address = "/settings/storage/check";
  const running = state === "running";
  const found = orphans.objects + missing.assets + damaged.assets > 0;
  const question = { title: words.repairTitle, text: words.repairText, yes: words.repair };
  const lines = html`${orphans.objects === 0 ? null : html`<p>${words.orphans(orphans.objects, sizeText(orphans.bytes))}</p>`}
${missing.assets === 0 ? null : html`<p>${words.missing(missing.assets)}</p>`}${damaged.assets === 0 ? null : html`<p>${words.damaged(damaged.assets)}</p>`}`;
  const told = {
    never: html`<p>${words.never}</p>`,
    running: html`<p>${words.running(objects)}</p>`,
    failed: callout({ tone: "bad", text: problem ?? "" }),
    done: html`<p>${words.done(objects)} ${found ? null : words.clean} ${finishedAt === null ? null : timeText(finishedAt)}</p>${lines}`,
  }[state];
  const act = (label: string, query: string, asked?: typeof question) =>
    button({
      ...{ label, disabled: running },
      request: {
        ...{ method: "post", address: `${address}${query}` },
        ...(asked === undefined ? {} : { question: asked }),
      },
    });
  const body = html`<p class="muted">${words.checkText}</p>${told}
<div class="form-end">${state === "done" && found ? act(words.repair, "?repair=true", question) : null}${act(words.checkDeep, "?deep=true")}${act(words.checkNow, "")}</div>`;
  return live(
    running,
    "check",
    card({ id: "storage-check", title: words.check, across: true, body }),
  );
}

/** What goes on fetches itself until it has ended. */
function live(on: boolean, part: "move" | "check", content: Html): Html {
  if (!on) return content;
  return html`<div hx-get="/settings/storage/live?part=${part}" hx-trigger="every 3s" hx-target="this" hx-swap="outerMorph" hx-status:4xx="swap:none" hx-status:5xx="swap:none">${content}</div>`;
}

/** `GET /settings/storage/live?part=`: the part, which fetches itself again while it goes on. */
export function storageLive(
  part: "move" | "check",
  { move, stock }: Pick<StorageView, "move" | "stock">,
): Html {
  return part === "move" ? moveCard(move) : checkCard(stock);
}
