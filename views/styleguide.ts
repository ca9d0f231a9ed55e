/** `GET /styleguide`, for admins: every part of the pages, in its states, as pages make them. */
import { badge, type Tone, tag } from "./components/badge.ts";
import { button } from "./components/button.ts";
import { card } from "./components/card.ts";
import { dialog, opener } from "./components/dialog.ts";
import { emptyState } from "./components/empty.ts";
import { checkField, searchField, selectField, textField } from "./components/field.ts";
import { keys } from "./components/key.ts";
import { menu } from "./components/menu.ts";
import { callout, notice } from "./components/notice.ts";
import { levelBar, progressBar } from "./components/progress.ts";
import { skeletonLines, skeletonPicture } from "./components/skeleton.ts";
import { table } from "./components/table.ts";
import { segments, tabs } from "./components/tabs.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { page, type Viewer } from "./layout.ts";
import { texts } from "./texts/texts.ts";

const words = texts.styleguide;

const swatches =
  "bg surface raised sunken hover line edge text muted accent accent-fill lamp good warn bad";
const sizes = "tiny small body large title display";

export function styleguidePage(viewer: Viewer): Html {
  const body = html`<div class="page-head"><div class="head-text"><h1>${words.title}</h1><p class="muted">${words.lead}</p></div></div>
<div class="guide">
${part(words.colours, html`<ul class="swatches">${swatches.split(" ").map((name) => html`<li class="swatch ${name}">${name}</li>`)}</ul>`)}
${part(words.type, html`<div class="type-sizes">${sizes.split(" ").map((name) => html`<p><code>${name}</code><span class="size-${name}">${words.sample}</span></p>`)}</div>`)}
${part(words.elevation, html`<div class="elevations">${["low", "mid", "high"].map((name) => html`<div class="elevation ${name}">${name}</div>`)}</div>`)}
${part(words.buttons, buttons())}
${part(words.fields, fields())}
${part(words.dialogs, dialogs())}
${part(words.menus, menus())}
${part(words.tabs, tabsPart())}
${part(words.tables, tablePart())}
${part(words.cards, card({ id: "guide-card", title: words.cardTitle, icon: "disk", body: html`<p>${words.cardText}</p>`, aside: badges()[2] ?? null }))}
${part(words.badges, html`<div class="guide-row">${badges()}${tag(words.chip)}</div>`)}
${part(words.progress, bars())}
${part(words.notices, notices())}
${part(words.empties, emptyPart())}
${part(words.skeletons, html`<div class="guide-fields"><div>${skeletonPicture()}</div><div>${skeletonLines(4)}</div></div>`)}
${part(words.keys, html`<div class="guide-row">${keys("?")}${keys("g l")}${keys("mod+K")}</div>`)}
</div>`;
  return page({ title: words.title, viewer, active: null, body });
}

function part(title: string, inside: Html): Html {
  return html`<section><h2>${title}</h2>${inside}</section>`;
}

function buttons(): Html {
  const ask = { method: "get", address: "/ui/work", question: words.question } as const;
  return html`<div class="guide-row">
${button({ label: words.primary, kind: "primary" })}
${button({ label: words.withIcon, icon: "upload", kind: "primary" })}
${button({ label: words.normal })}
${button({ label: words.quiet, kind: "quiet" })}
${button({ label: words.danger, kind: "danger", icon: "trash" })}
${button({ label: words.dangerQuiet, kind: "quiet danger-text", icon: "trash" })}
${button({ label: words.current, current: true, icon: "check" })}
${button({ label: words.disabled, disabled: true })}
${button({ label: words.disabled, kind: "primary", disabled: true })}
${button({ label: words.link, href: "/", icon: "link" })}
${button({ label: words.iconOnly, small: true, icon: "retry" })}
${button({ label: words.asking, request: ask })}
</div>`;
}

function fields(): Html {
  const codecs = ["H.264", "HEVC", "AV1"].map((label) => ({ value: label, label }));
  return html`<div class="guide-fields">
${textField({ name: "guide-name", label: words.text, hint: words.textHint, value: "ann" })}
${textField({ name: "guide-number", label: words.number, type: "number", unit: words.unit, value: 65, min: 1, max: 100 })}
${textField({ name: "guide-password", label: words.password, type: "password", autocomplete: "new-password" })}
${textField({ name: "guide-wrong", label: words.wrong, value: "ann@", fault: words.wrongFault })}
${textField({ name: "guide-off", label: words.off, value: "0.0.0.0:7600", disabled: true })}
${textField({ name: "guide-code", label: words.code, value: "K7QP-2MXA", code: true })}
${selectField({ name: "guide-choice", label: words.choice, value: "HEVC", choices: codecs })}
${textField({ name: "guide-long", label: words.long, rows: 3, value: words.sample })}
<div class="stack">${checkField({ name: "guide-box", label: words.box, checked: true })}${checkField({ name: "guide-lever", label: words.lever, checked: true, lever: true })}</div>
${searchField({ label: words.search, value: "" })}
</div>`;
}

function dialogs(): Html {
  return html`<div class="guide-row">${opener("guide-dialog", html`${words.openDialog}`)}</div>
${dialog({ id: "guide-dialog", title: words.dialogTitle, body: html`<p>${words.dialogText}</p>${textField({ name: "guide-inside", label: words.text })}` })}`;
}

function menus(): Html {
  return html`<div class="guide-row">${menu({
    label: words.menuName,
    style: "button",
    face: html`${words.menuName}${icon("chevron")}`,
    items: [
      { label: words.menuFirst, icon: "download", href: "/" },
      { label: words.menuSecond, icon: "link", command: "nothing", key: "C" },
      { label: words.menuLast, icon: "trash", command: "nothing", danger: true },
    ],
    foot: words.menuFoot,
  })}</div>`;
}

function tabsPart(): Html {
  const list = words.tabNames.map((title, place) => ({
    title,
    href: "/styleguide",
    current: place === 0,
    count: place === 2 ? 4 : null,
  }));
  const choices = words.tabNames.map((label) => ({ value: label, label }));
  return html`${tabs(words.tabsName, list)}
<div class="guide-row">${segments({ legend: words.segmentsName, name: "guide-kind", value: words.tabNames[0], choices })}</div>`;
}

function tablePart(): Html {
  const { name, size, made, actions } = words.columns;
  return table({
    caption: words.tableCaption,
    columns: [
      { title: name },
      { title: size, numeric: true },
      { title: made },
      { title: actions, quiet: true },
    ],
    rows: words.tableRows.map((row) => ({
      cells: [
        row.name,
        row.size,
        row.made,
        button({
          label: words.restore,
          icon: "retry",
          small: true,
          name: `${words.restore}: ${row.name}`,
        }),
      ],
    })),
  });
}

function badges(): Html[] {
  const drawings = {
    plain: "clock",
    accent: "device",
    good: "check",
    warn: "pause",
    bad: "warning",
  } as const;
  return (Object.keys(drawings) as Tone[]).map((tone) =>
    badge({ tone, label: words.badgeNames[tone], icon: drawings[tone] }),
  );
}

function bars(): Html {
  return html`<div class="guide-fields"><div>${progressBar(words.progressName, 62)}</div>
<div>${progressBar(words.unknownName, null)}</div>
<div>${levelBar({ label: words.levelName, value: 6, max: 16, words: words.levelWords })}</div>
<div>${levelBar({ label: words.fullName, value: 15, max: 16, words: words.fullWords, tone: "warn" })}</div></div>`;
}

function notices(): Html {
  return html`${notice({ tone: "good", title: words.noticeTitle, text: words.noticeText })}
${callout({ tone: "warn", title: words.calloutTitle, text: words.calloutText, hint: words.calloutHint })}
${callout({ tone: "bad", title: words.failTitle, text: words.failText })}
${callout({ tone: "plain", text: words.calloutPlain })}`;
}

function emptyPart(): Html {
  return emptyState({
    icon: "jobs",
    title: words.emptyTitle,
    text: words.emptyText,
    action: button({ label: words.emptyAction, href: "/", kind: "primary" }),
  });
}
