/** How long an output lasts that leaves a part of its source out. Pure. */
import type { AudioEncode, StreamCopy } from "../media/description.ts";
import type { Expectation } from "../media/expectation.ts";
import type { MediaInfo } from "../media/media.ts";

type Lasting = Pick<Expectation, "lastsLikeStreams" | "streamFromSeconds">;

/**
 * What an expectation says of streams where some are left out: the source's length may be that of one of those.
 * @param streams of the source, by index, of which the output is made
 * @param from where in the source the output begins, in seconds, when it is a piece; absent: it is all of it
 */
export function lastingLike(media: MediaInfo, streams: readonly number[], from?: number): Lasting {
  const { video, audio, subtitles } = media;
  const all = [...(video === null ? [] : [video]), ...audio, ...subtitles];
  if (streams.length === 0 || all.every(({ index }) => streams.includes(index))) return {};
  return {
    lastsLikeStreams: [...streams],
    ...(from === undefined ? {} : { streamFromSeconds: from }),
  };
}

interface KeptTracks {
  /** The picture is left out. */
  soundAlone?: boolean;
  audio: readonly (AudioEncode | StreamCopy)[];
  subtitles: readonly StreamCopy[];
}

/** The same for a film; nothing where one of its tracks is made in a graph, of whatever. */
export function filmLasting(media: MediaInfo, tracks: KeptTracks, from?: number): Lasting {
  const sources = [...tracks.audio, ...tracks.subtitles].map(({ source }) =>
    "stream" in source && source.input === 0 ? source.stream : null,
  );
  const known = sources.filter((stream) => stream !== null);
  if (known.length < sources.length) return {};
  const { video } = media;
  const picture = video === null || tracks.soundAlone ? [] : [video.index];
  return lastingLike(media, [...picture, ...known], from);
}
