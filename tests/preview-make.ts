/** For the preview: what can be made from its files, by the code of the server over samples. */
import { askedForm, makeView } from "../src/http/make-view.ts";
import type { Parts } from "../src/http/parts.ts";
import { operations } from "../src/operations/index.ts";
import { Refusal } from "../src/trouble.ts";
import type { MakeView } from "../views/make.ts";
import { everyField } from "./preview-operation.ts";
import { assets } from "./preview-samples.ts";

/** What a sample preset fills the form of all fields in with. */
const samplePreset = {
  ranges: [{ from: 3 }, { from: 8, to: 9, tags: ["goal", "two words"] }],
  items: [{ type: "text", text: 'Line one\nLine "two"', fade: { seconds: 2 } }],
  rungs: [{ height: 720 }, { height: 480 }],
  loop: 3,
  curve: [[0, 1]],
};

export const samplePresets = [
  { id: "ps_mine", name: "For the club's page", builtIn: false, version: 3, params: samplePreset },
  { id: "ps_web-1080p", name: "Web MP4 1080p", builtIn: true, version: 1, params: {} },
].map((preset) => ({ ...preset, expireDays: null, createdAt: null, updatedAt: null }));

/** Each of them is there for every operation. */
const presets = {
  list: (_ownerId: string, operation: string | null = null) =>
    samplePresets.map((preset) => ({ ...preset, operation: operation ?? everyField.name })),
  get: (ownerId: string, id: string) => {
    const found = presets.list(ownerId).find((preset) => preset.id === id);
    if (found === undefined) throw new Refusal(404, "no_such_preset", "There is no such preset.");
    return found;
  },
};

const library = {
  get: (_ownerId: string, id: string) => {
    const found = assets.find((asset) => asset.id === id);
    if (found === undefined) throw new Refusal(404, "not_found", "There is no such file.");
    return found;
  },
};

/** The operations, and one that has a field of every kind. */
const parts = { presets, library, operations: [...operations, everyField] } as unknown as Parts;

/** Of the page of a file, or of several where there is none. */
export function sampleMake(url: URL, assetId: string | null): MakeView {
  const asked = new URLSearchParams(url.searchParams);
  if (assetId === null) return makeView(parts, "us_1", asked, { page: "make" });
  asked.append("asset", assetId);
  return makeView(parts, "us_1", asked, { page: "asset", assetId });
}

export function sampleForm(asked: URLSearchParams) {
  return askedForm(parts, "us_1", asked);
}
