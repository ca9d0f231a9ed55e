/** Files with nonsense in them, at known places. */
import { readFileSync, writeFileSync } from "node:fs";

export interface Place {
  seconds: number;
  size: number;
  pos: number;
}

/** A copy of a file with nonsense in some places. */
export function damaged(source: string, places: Place[]): string {
  const bytes = readFileSync(source);
  for (const { pos, size } of places) bytes.fill(0xa5, pos, pos + size);
  const path = source.replace(/(\.\w+)$/, `-${places.map(({ pos }) => pos).join("-")}$1`);
  writeFileSync(path, bytes);
  return path;
}

/** Where a packet lies in its file. */
export function packetAt(path: string, stream: string, from: number): Place {
  const entries = ["-show_entries", "packet=pts_time,size,pos", "-of", "json"];
  const argv = ["-v", "error", "-select_streams", stream, ...entries, path];
  const { packets } = JSON.parse(Bun.spawnSync(["ffprobe", ...argv]).stdout.toString()) as {
    packets: Record<"pts_time" | "size" | "pos", string>[];
  };
  const packet = packets.find(({ pts_time }) => Number(pts_time) >= from);
  if (packet === undefined) throw new Error("there is a packet");
  const { pts_time, size, pos } = packet;
  return { seconds: Number(pts_time), size: Number(size), pos: Number(pos) };
}
