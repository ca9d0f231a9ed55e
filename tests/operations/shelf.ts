/** Files under the names that the pages of the operations use, for their examples. */
import { join } from "node:path";
import { ffmpeg } from "../clips.ts";
import { names } from "./example-plan.ts";

/** Longer than any time that an example names, in a picture small enough to be done in seconds. */
const filmSeconds = 46;

/** Makes them in a folder: films, a sound, a picture and captions. */
export async function fillShelf(folder: string): Promise<void> {
  const at = (name: string) => join(folder, name);
  const film = at(names.film);
  const picture = ["-f", "lavfi", "-i", `testsrc2=size=480x270:rate=5:duration=${filmSeconds}`];
  const tone = ["-f", "lavfi", "-i", `sine=frequency=440:sample_rate=48000:d=${filmSeconds}`];
  const encode = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"];
  ffmpeg(...picture, ...tone, ...encode, film);
  ffmpeg("-i", film, "-t", "20", "-c", "copy", at("match-2.mov"));
  ffmpeg("-i", film, "-t", "2", "-c", "copy", at("match.mp4"));
  ffmpeg(...tone, at(names.sound));
  const red = ["-f", "lavfi", "-i", "color=c=red@0.5:s=64x32,format=rgba"];
  ffmpeg(...red, "-frames:v", "1", at(names.image));
  await Bun.write(at(names.subtitles), "1\n00:00:01,000 --> 00:00:03,000\nGoal!\n");
}
