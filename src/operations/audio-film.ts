/** The video around a sound that `audio` changes: its picture and subtitles as they are. Pure. */
import type { InputDescription, StreamCopy } from "../media/description.ts";
import type { MediaInfo } from "../media/media.ts";
import { assert } from "../trouble.ts";
import { type ContainerFacts, codecTitle, containers, type MediaContainer } from "./containers.ts";
import type { PlanContext } from "./operation.ts";
import { inputPicture } from "./picture.ts";
import { canKeepPicture, decidePicture, type PictureDecision } from "./transcode-picture.ts";
import { transcodeSchema } from "./transcode-schema.ts";
import { decideSubtitles } from "./transcode-sound.ts";

export interface Film {
  container: MediaContainer;
  facts: ContainerFacts;
  picture: PictureDecision;
  /** True when the picture could not be copied. */
  encodes: boolean;
  subtitles: StreamCopy[];
  /** What the input needs besides, for the picture. */
  source: Pick<InputDescription, "picture">;
  notes: string[];
}

/** The video in its own container, or in Matroska where that is none that is written. */
export function filmAround(media: MediaInfo, context: PlanContext): Film {
  const { video } = media;
  assert(video !== null, "the film has a picture");
  const container = containerFor(media.container);
  const facts = containers[container];
  const copies = canKeepPicture(container, media);
  const wish = transcodeSchema.parse({ container, video: { codec: copies ? "copy" : "auto" } });
  const picture = decidePicture(wish, media, context);
  const encodes = picture.stream?.kind === "encode";
  const subtitles = decideSubtitles(wish, media);
  const notes = [...picture.notes, ...subtitles.notes];
  if (container !== media.container) {
    notes.unshift("Videos of this kind are not written any more: the result is Matroska.");
  }
  if (encodes) {
    notes.push(`The picture cannot be copied as it is: it becomes ${codecTitle(facts.video)}.`);
  }
  return {
    container,
    facts,
    picture,
    encodes,
    subtitles: subtitles.tracks,
    source: encodes ? { picture: inputPicture(video) } : {},
    notes,
  };
}

function containerFor(word: string): MediaContainer {
  return word === "mp4" || word === "mov" || word === "webm" ? word : "mkv";
}
