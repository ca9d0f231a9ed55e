/** From HDR to SDR, and the colours that frames say they have. */
import type { ColorTags } from "./description.ts";
import { type NativeFilter, native } from "./filter-syntax.ts";

/**
 * HDR to BT.709 in 8-bit limited range. `peakNits` is the brightest of the whole film; absent: 1,000, as most
 * masters have.
 */
export interface Tonemapping {
  filter: "tonemap";
  from: "hdr10" | "hlg";
  peakNits?: number;
}

/** What HDR means by white: 203 nits, of ITU-R BT.2408, which is where SDR's own white belongs. */
const whiteNits = 203;
/** How bright HDR is that does not say it: the peak that HLG is made for, and most masters are. */
const usualPeakNits = 1000;
/** Dimmer peaks leave the curve nothing to bend; they are said by mistake. */
const leastPeakNits = 300;
/** Up to this light nothing is changed: 61 nits, which holds grey and skin. */
const straightUpTo = 0.3;

/**
 * By zimg to linear light and to BT.709 primaries, one curve over the highlights, back to gamma. Möbius leaves
 * what is not bright as it is: the grey card of BT.2408 (26 nits, 38 % of PQ and of HLG) comes out at SDR's 42.5 %
 * whatever the peak. Hable, which many recipes have, darkens it, the more the brighter the master is said to be.
 * `desat=0` keeps the colours.
 */
export function tonemap({ from, peakNits }: Tonemapping): NativeFilter[] {
  const hlg = from === "hlg";
  const peak = Math.max(leastPeakNits, (hlg ? undefined : peakNits) ?? usualPeakNits) / whiteNits;
  const transfer = hlg ? "arib-std-b67" : "smpte2084";
  return [
    // Said on the frames: where one tag is missing zimg finds no way to linear light.
    ...taggedAs({ primaries: "bt2020", transfer, space: "bt2020nc", range: null }),
    native("zscale", { transfer: "linear", npl: whiteNits }),
    native("format", { pix_fmts: "gbrpf32le" }),
    native("zscale", { primaries: "bt709" }),
    native("tonemap", { tonemap: "mobius", param: straightUpTo, desat: 0, peak }),
    native("zscale", {
      transfer: "bt709",
      matrix: "bt709",
      range: "tv",
      dither: "error_diffusion",
    }),
  ];
}

export function taggedAs(color: ColorTags): NativeFilter[] {
  const options = native("setparams", {
    color_primaries: color.primaries ?? undefined,
    color_trc: color.transfer ?? undefined,
    colorspace: color.space ?? undefined,
    range: color.range ?? undefined,
  });
  return options.options.length === 0 ? [] : [options];
}
