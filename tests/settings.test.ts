/** Settings of a running server: what is changed holds, outlives a restart, and an admin does it all in a browser. */
import { expect, test } from "bun:test";
import { Appliance, kinomill } from "./appliance.ts";
import { openBrowser, openPage } from "./browser.ts";

const LIMIT_MS = 120_000;

interface Told {
  status: number;
  body: Record<string, unknown> & { code?: string };
}

function caller(appliance: Appliance, token: string) {
  return async (method: string, path: string, body?: unknown, more = {}): Promise<Told> => {
    const response = await fetch(`${appliance.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...more },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? {} : JSON.parse(text) };
  };
}

test(
  "what is changed holds at once in every part that takes it, and after a restart",
  async () => {
    let appliance = await Appliance.start({ environment: { KINOMILL_JOBS_RUNS: "2" } });
    try {
      const token = await appliance.token("ann", "admin");
      let call = caller(appliance, token);
      const change = async (values: Record<string, unknown>) =>
        await call("PATCH", "/settings", { values }, { "if-match": '"999999"' });
      const upload = async (bytes: string) => {
        const response = await fetch(`${appliance.url}/api/v1/assets?name=x.srt`, {
          method: "POST",
          headers: { authorization: `Bearer ${token}` },
          body: bytes,
        });
        return ((await response.json()) as { code?: string }).code;
      };
      const captions = "1\n00:00:01,000 --> 00:00:02,000\nHello\n";
      expect((await change({ "uploads.maxBytes": 20 })).status).toBe(200);
      expect(await upload(captions)).toBe("too_large");
      expect((await change({ "uploads.maxBytes": null, "retention.quotaBytes": 10 })).status).toBe(
        200,
      );
      expect(await upload(captions)).toBe("quota_exceeded");
      const wanted = {
        ...{ "retention.quotaBytes": null, "jobs.cpuSlots": 7 },
        "retention.binDays": 11,
      };
      expect((await change(wanted)).status).toBe(200);
      expect(await upload(captions)).toBeUndefined();
      const { devices } = (await call("GET", "/system")).body as { devices: { slots: number }[] };
      expect(devices[0]?.slots).toBe(7);
      const { rules } = (await call("GET", "/system/retention")).body as {
        rules: { binDays: number };
      };
      expect(rules.binDays).toBe(11);
      const named = () => fetch(`${appliance.url}/health`, { headers: { host: "box.example" } });
      expect((await named()).status).toBe(421);
      expect((await change({ hosts: ["box.example"] })).status).toBe(200);
      expect((await named()).status).toBe(200);
      const locked = await change({ "jobs.runs": 5 });
      expect([locked.status, locked.body.code]).toEqual([422, "invalid_settings"]);
      await change({ "gpu.leaveAlone": ["3"] });
      expect((await call("GET", "/settings")).body["restartNeeded"]).toBe(true);
      const listed = await kinomill(["config", "check", "--list", "--data", appliance.dataFolder]);
      expect(listed.stdout).toMatch(/jobs\.cpuSlots = 7 {2}# page: ann, /);

      const { folder } = appliance;
      await appliance.end();
      appliance = await Appliance.start({ folder });
      call = caller(appliance, token);
      const { restartNeeded, items } = (await call("GET", "/settings")).body as {
        restartNeeded: boolean;
        items: { key: string; value: unknown }[];
      };
      expect(restartNeeded).toBe(false);
      const value = (key: string) => items.find((item) => item.key === key)?.value;
      expect([value("jobs.cpuSlots"), value("gpu.leaveAlone"), value("hosts")]).toEqual([
        ...[7, ["3"], ["box.example"]],
      ]);
    } finally {
      await appliance[Symbol.asyncDispose]();
    }
  },
  LIMIT_MS,
);

test(
  "an admin changes a setting, makes a token, invites somebody, who comes in",
  async () => {
    await using appliance = await Appliance.start();
    await appliance.token("ann", "admin");
    const browser = await openBrowser();
    try {
      const { page, faults } = await openPage(browser, appliance.url);
      await page.goto("/login?next=/settings");
      await page.fill("[name=name]", "ann");
      await page.fill("[name=password]", appliance.password);
      await page.click("button[type=submit]");
      const runs = page.locator("[name='jobs.runs']");
      await runs.fill("5");
      await page.locator("#settings-jobs").getByRole("button", { name: "Save" }).click();
      await page.getByText("Saved.").waitFor();
      expect(await runs.inputValue()).toBe("5");
      await page.getByRole("button", { name: "Runs of a job: back to the default" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Back to the default" }).click();
      await page.getByText("Back to the default.", { exact: true }).waitFor();
      expect(await runs.inputValue()).toBe("3");

      await page.getByRole("link", { name: "My account" }).click();
      await page.locator("#tokens summary").click();
      await page.getByLabel("What it is for").fill("robot");
      await page.locator("#tokens form").getByRole("button", { name: "Make a token" }).click();
      const secret = (await page.locator("#new-token").textContent()) ?? "";
      const me = await fetch(`${appliance.url}/api/v1/me`, {
        headers: { authorization: `Bearer ${secret}` },
      });
      expect(me.status).toBe(200);

      await page.getByRole("link", { name: "People" }).click();
      await page.locator("#people-list summary").click();
      await page.getByLabel("Name", { exact: true }).fill("grace");
      await page.locator("#people-list form").getByRole("button", { name: "Add" }).click();
      const address = (await page.locator(".secret code").textContent()) ?? "";
      const guest = await openPage(browser, appliance.url);
      await guest.page.goto(address);
      await guest.page.getByLabel("Password", { exact: true }).fill("a password of hers");
      await guest.page.getByLabel("Password again").fill("a password of hers");
      await guest.page.getByRole("button", { name: "Set the password and log in" }).click();
      await guest.page.getByRole("link", { name: "Settings" }).click();
      await guest.page.getByText("This browser").waitFor();
      expect(await guest.page.getByRole("link", { name: "People" }).count()).toBe(0);
      expect([...faults, ...guest.faults]).toEqual([]);
    } finally {
      await browser.close();
    }
  },
  LIMIT_MS,
);
