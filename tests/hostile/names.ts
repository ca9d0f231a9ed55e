/** Names that somebody chooses to take over the page of whoever looks at them. */

/** The nine ways into a page that htmx drives, and three that only break its look; each asks for the canary or runs. */
export function attacks(canary: string): string[] {
  return [
    `<p hx-get="${canary}?1" hx-trigger="load">.mp4`,
    `<p data-hx-post="${canary}?2" data-hx-trigger="load">.mp4`,
    `<p hx-on:load="window.attacked=3" hx-on::after-init="window.attacked=3">.mp4`,
    `"><script>window.attacked=4;alert(4)</script>.mp4`,
    `'"><img src="${canary}?5" onerror="window.attacked=5">.mp4`,
    `<svg onload="window.attacked=6"><a href="javascript:alert(6)">x</a></svg>.mp4`,
    `<a href="javascript:alert(7)" hx-boost="true" autofocus onfocus="window.attacked=7">.mp4`,
    `<p hx-vals="js:{a:(window.attacked=8)}" hx-get="${canary}?8" hx-trigger="every 50ms">.mp4`,
    `<hx-partial hx-target="body" hx-swap="innerHTML"><iframe src="${canary}?9"></iframe></hx-partial>.mp4`,
    `\u202egnp.4pm\u2066 رمز \u200f.mp4`,
    `${"W".repeat(240)}.mp4`,
    `{{7*7}} \${7*7} <%= 7 %> </title></main></html>.mp4`,
  ];
}
