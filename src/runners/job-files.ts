/** The files of a job while it is worked on: each step has a folder, named after it, inside the job's. */
import { mkdir, open, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { InputRef, RenderDescription } from "../media/description.ts";
import type { PathName } from "../media/stderr.ts";
import { assert, Failure } from "../trouble.ts";
import { diskFullFailure } from "./explain.ts";
import type { AttemptRequest } from "./runner.ts";

/** With less than this to write into, a run is not begun: it could only fail. */
const leastRoomBytes = 1024 ** 2;

/** Names of steps and of files that they leave: ours, so anything else is a mistake of ours. */
export const plainName = /^[a-z0-9][a-z0-9-]*(\.[a-z0-9]+)?$/;

/** An empty folder for the step: what an earlier attempt left is removed. */
export async function freshFolder(request: AttemptRequest): Promise<string> {
  assert(plainName.test(request.step), `step name ${request.step} is plain`);
  const folder = join(request.jobFolder, request.step);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}

export function pathOf(request: AttemptRequest, from: InputRef): string {
  if ("asset" in from) {
    const path = request.assetPaths[from.asset];
    assert(path !== undefined, `the job has an input ${from.asset}`);
    return path;
  }
  assert(plainName.test(from.step) && plainName.test(from.file), "names of steps are plain");
  return join(request.jobFolder, from.step, from.file);
}

/** The files that this run may read, with the names that stand for them in a log. */
export function inputFiles(request: AttemptRequest, description: RenderDescription): PathName[] {
  const refs = [...description.inputs.map(({ from }) => from), ...(description.reads ?? [])];
  return refs.map((from) => ({
    path: pathOf(request, from),
    name: "asset" in from ? `input ${from.asset + 1}` : `${from.step}/${from.file}`,
  }));
}

export async function refuseMissing(files: PathName[]): Promise<void> {
  for (const { path, name } of files) {
    if (await Bun.file(path).exists()) continue;
    throw new Failure("input_missing", `The job's ${name} is not there any more.`, {
      hint: "Upload it again and start a new job.",
    });
  }
}

/** What a file may grow to, so that the reserve stays for the database. */
export async function roomBytes(folder: string, reserveBytes: number): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  const room = bavail * bsize - reserveBytes;
  if (room < leastRoomBytes) throw diskFullFailure();
  return room;
}

export async function refuseFullDisk(folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < leastRoomBytes) throw diskFullFailure();
}

/** After this the file is there even if the power goes. */
export async function writeDurably(path: string, text: string | Uint8Array): Promise<void> {
  const handle = await open(path, "wx", 0o600);
  try {
    await handle.writeFile(text, "utf8");
    await handle.sync();
  } finally {
    await handle.close();
  }
}
