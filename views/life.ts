/** What happens to an open page: the server goes away, the session ends, another version comes. A script shows the parts. */
import { button } from "./components/button.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { loginFields } from "./login-fields.ts";
import { texts } from "./texts/texts.ts";

const words = texts.frame;

/** Over the page, so that nothing moves when it comes and goes. */
export function lifeBanner(): Html {
  return html`<div id="life" class="life" role="status" hidden>
<p data-life="away" hidden>${icon("retry")}<span>${words.away}</span></p>
<p data-life="ended" hidden>${icon("key")}<span>${words.ended}</span><button type="button" class="button" data-opens="session">${words.logInAgain}</button></p>
<p data-life="changed" hidden>${icon("info")}<span>${words.changed}</span>${button({ label: words.reload, command: "reload" })}</p>
</div>`;
}

/** The login without leaving the page. */
export function sessionDialog(name: string): Html {
  return html`<dialog id="session" class="dialog" aria-labelledby="session-title" data-stays>
<form method="post" action="/login" class="stack">
<div><h2 id="session-title">${words.session.title}</h2><p>${words.session.text}</p></div>
<div class="callout bad" role="alert" data-login-fault hidden>${icon("warning")}<p></p></div>
${loginFields(name, "again")}
${button({ label: words.session.logIn, kind: "primary", wide: true, submit: true })}
</form>
</dialog>`;
}
