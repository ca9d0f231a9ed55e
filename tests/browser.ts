/** Headless Chromium for whole-product tests, with what a page must never do written down as faults. */
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

/** Debian's and Ubuntu's Chromium, which `script/bootstrap --test` installs. */
const executablePath =
  Bun.which("chromium") ?? Bun.which("chromium-browser") ?? "/usr/bin/chromium";

/** Every wait of a page ends by then: tests fail with what they waited for, they do not hang. */
const WAIT_LIMIT_MS = 20_000;

export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

export interface WatchedPage {
  page: Page;
  context: BrowserContext;
  /** Console errors, page errors, refused by the policy, and requests to anywhere but the appliance. */
  faults: string[];
}

/** A page in a context of its own that notes everything that should not happen. */
export async function openPage(
  browser: Browser,
  url: string,
  options: { width?: number; height?: number; dark?: boolean } = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({
    baseURL: url,
    viewport: { width: options.width ?? 1280, height: options.height ?? 800 },
    colorScheme: options.dark ? "dark" : "light",
  });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_LIMIT_MS);
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(`page error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    const target = request.url();
    if (!target.startsWith(url) && !/^(blob|data):/.test(target)) faults.push(`request: ${target}`);
  });
  return { page, context, faults };
}

/** Through the page of the login, as a person does; resolves when the library is there. */
export async function logIn(page: Page, password: string, name = "ann"): Promise<void> {
  await page.goto("/login");
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("heading", { name: "Library" }).waitFor();
  await page.waitForLoadState("load"); // The scripts have run then.
}

/** True when the page is wider than the window: somebody on a phone would have to push it around. */
export function scrollsSideways(page: Page): Promise<boolean> {
  return page.evaluate("document.documentElement.scrollWidth > innerWidth") as Promise<boolean>;
}
