/** Kinomill with one protection taken out, for positive controls: the harness has to notice. */
import { chmodSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dir, "../..");

export interface Break {
  /** Path of a source file in the repository. */
  file: string;
  /** What stands there; must be found once. */
  from: string;
  to: string;
}

/** Writes an executable into the folder that runs from source with these changes; gives its path. */
export async function brokenKinomill(folder: string, breaks: readonly Break[]): Promise<string> {
  for (const { file, from } of breaks) {
    const found = (await Bun.file(join(root, file)).text()).split(from).length - 1;
    if (found !== 1) throw new Error(`${file} has ${found} times: ${from}`);
  }
  const preload = join(folder, "break.ts");
  writeFileSync(
    preload,
    // Bun runs no macros beside a plug-in: what they would be at the build is then called at the start.
    `const breaks = ${JSON.stringify(breaks)};
     Bun.plugin({ name: "break", setup(build) {
       build.onLoad({ filter: /[/]static[/][a-z]+[.]ts$/ }, async ({ path }) => ({
         contents: (await Bun.file(path).text()).replaceAll(' with { type: "macro" }', ""), loader: "ts" }));
       for (const { file, from, to } of breaks) {
         const filter = new RegExp(file.replaceAll(/[.]/g, "[.]") + "$");
         build.onLoad({ filter }, async ({ path }) => ({
           contents: (await Bun.file(path).text()).replace(from, () => to), loader: "ts" }));
       }
     } });`,
  );
  const path = join(folder, "kinomill-broken");
  const argv = [process.execPath, "--preload", preload, join(root, "src/main.ts")];
  writeFileSync(path, `#!/bin/sh\nexec ${argv.map((part) => `'${part}'`).join(" ")} "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}
