/** An upgrade puts a new executable in the place of the one that runs; the running server must not notice. */
import { expect, test } from "bun:test";
import { cp, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Appliance, executable } from "./appliance.ts";

test("a server whose executable was replaced still takes files in", async () => {
  const folder = await mkdtemp(join(tmpdir(), "upgrade-"));
  const installed = join(folder, "kinomill");
  await cp(executable, installed);
  {
    await using appliance = await Appliance.start({ executable: installed });
    const token = await appliance.token("owner");
    await Bun.write(join(folder, "new"), "#!/bin/sh\nexit 9\n");
    await rename(join(folder, "new"), installed);
    const clip = join(folder, "clip.mp4");
    const source = ["-f", "lavfi", "-i", "testsrc2=size=128x72:rate=10", "-t", "1"];
    await Bun.spawn(["ffmpeg", "-nostdin", "-v", "error", ...source, clip]).exited;
    const answer = await fetch(`${appliance.url}/api/v1/assets?name=clip.mp4`, {
      method: "POST",
      headers: { Authorization: `Bearer ${token}` },
      body: Bun.file(clip),
    });
    expect(answer.status).toBe(201);
  }
  await rm(folder, { recursive: true });
});
