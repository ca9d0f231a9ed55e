/**
 * The site under a path of another server (/kinomill). Routes, controllers and views know nothing of it: the path is taken
 * off each request as it comes in, and put before every path of ours in the head of each answer as it goes out. In pages
 * the views' renderer does that (views/html.ts), in scripts `data-base` of the document.
 */
import { isSitePath } from "../../views/template.ts";

/** The path of a request as the router shall see it: proxies may have taken the base off already, or not. */
export function withoutBase(path: string, base: string): string {
  if (base === "" || !path.startsWith(base)) return path;
  const rest = path.slice(base.length);
  if (rest === "") return "/";
  return rest.startsWith("/") ? rest : path;
}

/** Lets everybody who reads the request's address see this path in it. */
export function setPath(request: Request, from: string, to: string): void {
  const { url } = request;
  const at = url.indexOf(from, url.indexOf("//") + 2);
  setUrl(request, url.slice(0, at) + to + url.slice(at + from.length));
}

/** Lets everybody who reads the request's address see this one. */
export function setUrl(request: Request, url: string): void {
  // A new Request would copy the body through this process.
  Object.defineProperty(request, "url", { value: url, configurable: true });
}

/** Headers that may hold a path of this site. */
const addressHeaders = [
  "location",
  "content-location",
  "hx-redirect",
  "hx-push-url",
  "hx-replace-url",
];

/** Puts the base before every path of this site that these headers name. */
export function rebase(headers: Headers, base: string): void {
  for (const name of addressHeaders) {
    const value = headers.get(name);
    if (value !== null && isSitePath(value)) headers.set(name, base + value);
  }
  rebaseHxLocation(headers, base);
  const cookies = headers.getSetCookie();
  if (cookies.length === 0) return;
  headers.delete("set-cookie");
  for (const cookie of cookies) {
    headers.append("set-cookie", cookie.replace(/; Path=\/(?=;|$)/i, `; Path=${base}`));
  }
}

/** `HX-Location` is a path, or JSON with one. */
function rebaseHxLocation(headers: Headers, base: string): void {
  const value = headers.get("hx-location");
  if (value === null) return;
  if (isSitePath(value)) headers.set("hx-location", base + value);
  if (!value.startsWith("{")) return;
  const wish = JSON.parse(value) as { path?: unknown };
  if (typeof wish.path !== "string" || !isSitePath(wish.path)) return;
  headers.set("hx-location", JSON.stringify({ ...wish, path: base + wish.path }));
}
