import { describe, expect, test } from "bun:test";
import {
  bitDepthOf,
  frameRateOf,
  type RawProbe,
  type RawStream,
  unevenlySpaced,
} from "./probe-facts.ts";
import { containerOf, noExtras, parseProbe } from "./probe-parse.ts";

const picture: RawStream = {
  index: 0,
  codec_type: "video",
  codec_name: "h264",
  width: 720,
  height: 576,
  pix_fmt: "yuv420p",
  r_frame_rate: "25/1",
  avg_frame_rate: "25/1",
};
const sound: RawStream = {
  index: 1,
  codec_type: "audio",
  codec_name: "aac",
  channels: 2,
  sample_rate: "48000",
};

function file(streams: RawStream[], format: RawProbe["format"] = {}): RawProbe {
  return {
    streams,
    format: {
      format_name: "mov,mp4,m4a,3gp,3g2,mj2",
      duration: "10.0",
      size: "1000000",
      ...format,
    },
  };
}

const video = (stream: Partial<RawStream>) =>
  parseProbe(file([{ ...picture, ...stream }]))?.video ?? null;

const turned = (rotation: number | string): Partial<RawStream> => ({
  side_data_list: [{ side_data_type: "Display Matrix", rotation }],
});

describe("the size that a player shows", () => {
  test("stretches by the sample aspect ratio", () => {
    expect(video({ sample_aspect_ratio: "64:45" })).toMatchObject({
      width: 720,
      displayWidth: 1024,
      displayHeight: 576,
      sampleAspectRatio: "64:45",
    });
  });

  test.each([
    [-90, 90, "576×720"],
    [90, 270, "576×720"],
    [180, 180, "720×576"],
    [-180, 180, "720×576"],
    [0, 0, "720×576"],
    ["-89.9", 90, "576×720"],
    [270, 90, "576×720"],
  ] as const)("turns ffprobe's %p counter-clockwise into %p clockwise", (raw, rotation, size) => {
    const found = video(turned(raw));
    expect(found?.rotation).toBe(rotation);
    expect(`${found?.displayWidth}×${found?.displayHeight}`).toBe(size);
  });

  test("stretches first and turns then", () => {
    expect(video({ ...turned(-90), sample_aspect_ratio: "64:45" })).toMatchObject({
      displayWidth: 576,
      displayHeight: 1024,
    });
  });

  test.each(["0:1", "N/A", undefined])("takes a ratio of %p for square", (ratio) => {
    const stream = ratio === undefined ? {} : { sample_aspect_ratio: ratio };
    expect(video(stream)).toMatchObject({ displayWidth: 720, sampleAspectRatio: "1:1" });
  });
});

describe("the frame rate", () => {
  const rate = (grid: string, average: string, field_order?: string) =>
    frameRateOf({
      r_frame_rate: grid,
      avg_frame_rate: average,
      ...(field_order === undefined ? {} : { field_order }),
    });

  test("is the grid when frames lie on it evenly", () => {
    expect(rate("30000/1001", "30000/1001")).toEqual({ rate: "30000/1001", variable: false });
    expect(rate("30/1", "897/30")).toEqual({ rate: "30/1", variable: false });
  });

  test("is the average and varies when they differ by more than a hundredth", () => {
    expect(rate("30/1", "29/1")).toEqual({ rate: "29/1", variable: true });
    expect(rate("90000/1", "24000/1001")).toEqual({ rate: "24000/1001", variable: true });
  });

  test("does not take fields for frames", () => {
    expect(rate("50/1", "25/1", "tt")).toEqual({ rate: "25/1", variable: false });
    expect(rate("50/1", "25/1", "progressive")).toEqual({ rate: "25/1", variable: true });
  });

  test("varies when the times of the frames do, whatever the header says", () => {
    const grid = { r_frame_rate: "25/1", avg_frame_rate: "25/1" };
    expect(frameRateOf(grid, true)).toEqual({ rate: "25/1", variable: true });
    const every = (step: (frame: number) => number) => {
      let time = 0;
      return Array.from({ length: 100 }, (_, frame) => {
        time += step(frame);
        return Math.round(time * 1000) / 1000;
      });
    };
    expect(unevenlySpaced(every(() => 1 / 30))).toBeFalse();
    expect(unevenlySpaced(every(() => 1001 / 240_000))).toBeFalse();
    // Stored order is not shown order, and one lost frame is no rhythm.
    expect(unevenlySpaced(every(() => 1 / 25).toReversed())).toBeFalse();
    expect(unevenlySpaced(every((frame) => (frame === 50 ? 0.08 : 0.04)))).toBeFalse();
    expect(unevenlySpaced(every((frame) => (frame % 5 === 0 ? 0.08 : 0.04)))).toBeTrue();
    expect(unevenlySpaced([])).toBeFalse();
  });

  test("is what there is when ffprobe knows only one", () => {
    expect(rate("25/1", "0/0")).toEqual({ rate: "25/1", variable: false });
    expect(rate("0/0", "25/1")).toEqual({ rate: "25/1", variable: false });
    expect(rate("0/0", "0/0")).toEqual({ rate: null, variable: false });
  });
});

describe("HDR", () => {
  const pq = { color_transfer: "smpte2084", color_primaries: "bt2020" };

  test("is told by the transfer, the stream's and the frames' side data", () => {
    expect(video({})?.hdr).toBeNull();
    expect(video({ color_transfer: "arib-std-b67" })?.hdr).toBe("hlg");
    expect(video(pq)?.hdr).toBe("hdr10");
    const dovi = [{ side_data_type: "DOVI configuration record", dv_profile: 5 }];
    expect(video({ ...pq, side_data_list: dovi })?.hdr).toBe("dolby-vision");
    const frameSideData = [
      { side_data_type: "HDR Dynamic Metadata SMPTE2094-40 (HDR10+)", application_version: 1 },
    ];
    const plus = parseProbe(file([{ ...picture, ...pq }]), { ...noExtras, frameSideData });
    expect(plus?.video?.hdr).toBe("hdr10plus");
  });

  test("keeps how the picture was mastered", () => {
    const frameSideData = [
      {
        side_data_type: "Mastering display metadata",
        red_x: "34000/50000",
        red_y: "16000/50000",
        green_x: "13250/50000",
        green_y: "34500/50000",
        blue_x: "7500/50000",
        blue_y: "3000/50000",
        white_point_x: "15635/50000",
        white_point_y: "16450/50000",
        min_luminance: "50/10000",
        max_luminance: "10000000/10000",
      },
      { side_data_type: "Content light level metadata", max_content: 1000, max_average: 400 },
    ];
    const found = parseProbe(file([{ ...picture, ...pq }]), { ...noExtras, frameSideData });
    expect(found?.video?.hdrMetadata).toEqual({
      mastering: {
        red: [0.68, 0.32],
        green: [0.265, 0.69],
        blue: [0.15, 0.06],
        white: [0.3127, 0.329],
        minNits: 0.005,
        maxNits: 1000,
      },
      light: { maxContentNits: 1000, maxAverageNits: 400 },
    });
    expect(video(pq)?.hdrMetadata).toBeNull();
  });
});

describe("the picture's samples", () => {
  test.each([
    ["yuv420p", 8],
    ["yuv420p10le", 10],
    ["yuv444p12be", 12],
    ["p010le", 10],
    ["p016le", 16],
    ["y210le", 10],
    ["gray12le", 12],
    ["gbrap16le", 16],
    ["rgb24", 8],
    ["rgb48be", 16],
    ["rgba64le", 16],
    ["bgra", 8],
    ["yuva444p", 8],
    ["nv12", 8],
  ])("of %s have %d bits", (pix_fmt, bits) => {
    expect(bitDepthOf({ pix_fmt })).toBe(bits);
  });

  test.each(["yuva420p", "rgba", "gbrap10le", "pal8", "ya8"])("of %s can be clear", (pix_fmt) => {
    expect(video({ pix_fmt })?.alpha).toBeTrue();
  });

  test("of VP9 can be clear when a tag says so", () => {
    expect(video({ codec_name: "vp9", tags: { ALPHA_MODE: "1" } })?.alpha).toBeTrue();
    expect(video({ codec_name: "vp9" })?.alpha).toBeFalse();
  });
});

describe("tracks", () => {
  test("a cover picture makes no video of a song", () => {
    const cover = { ...picture, codec_name: "mjpeg", disposition: { attached_pic: 1 } };
    const song = parseProbe(file([cover, sound], { format_name: "mp3" }));
    expect(song).toMatchObject({ kind: "audio", container: "mp3", video: null });
    expect(song?.audio).toHaveLength(1);
  });

  test("the default picture is the main one", () => {
    const second = { ...picture, index: 3, width: 1920, disposition: { default: 1 } };
    expect(parseProbe(file([picture, second]))?.video).toMatchObject({ index: 3, width: 1920 });
  });

  test("language and title are kept when they say something", () => {
    const named = { ...sound, tags: { language: "deu", title: "Kommentar\u0007\n" } };
    const unnamed = { ...sound, tags: { language: "und", title: "" } };
    const odd = { ...sound, tags: { language: "../etc" } };
    const languages = parseProbe(file([named, unnamed, odd]))?.audio;
    expect(languages?.map(({ language, title }) => [language, title])).toEqual([
      ["deu", "Kommentar"],
      [null, null],
      [null, null],
    ]);
  });

  test("a file of data alone is no media, and neither is a sound that nobody can make out", () => {
    expect(parseProbe(file([{ index: 0, codec_type: "data" }]))).toBeNull();
    expect(parseProbe(file([{ ...sound, channels: 0 }]))).toBeNull();
    expect(parseProbe({})).toBeNull();
  });

  test("chapters keep their times and titles", () => {
    const json: RawProbe = {
      ...file([picture]),
      chapters: [
        { start_time: "0.000000", end_time: "5.5", tags: { title: "Kick-off" } },
        { start_time: "5.5", end_time: "1.0" },
      ],
    };
    expect(parseProbe(json)?.chapters).toEqual([
      { startSeconds: 0, endSeconds: 5.5, title: "Kick-off" },
    ]);
  });
});

test.each([
  ["mov,mp4,m4a,3gp,3g2,mj2", "qt  ", null, "mov"],
  ["mov,mp4,m4a,3gp,3g2,mj2", "isom", null, "mp4"],
  ["mov,mp4,m4a,3gp,3g2,mj2", "M4A ", null, "m4a"],
  ["mov,mp4,m4a,3gp,3g2,mj2", undefined, null, "mov"],
  ["mov,mp4,m4a,3gp,3g2,mj2", "avif", null, "avif"],
  ["matroska,webm", undefined, "webm", "webm"],
  ["matroska,webm", undefined, "matroska", "mkv"],
  ["mpegts", undefined, null, "mpegts"],
  ["png_pipe", undefined, null, "png"],
])("the container of %s with brand %p and type %p is %s", (family, brand, docType, word) => {
  const tags = brand === undefined ? {} : { major_brand: brand };
  expect(containerOf({ format: { format_name: family, tags } }, docType)).toBe(word);
});
