import { describe, expect, test } from "bun:test";
import type { Asset } from "../src/assets/asset.ts";
import { media } from "../tests/operations/specimen.ts";
import type { Html } from "./html.ts";
import { type LibraryView, libraryGrid, libraryMore } from "./library.ts";
import {
  everything,
  filterForm,
  filterParameters,
  type LibraryFilter,
  libraryAddress,
  secondsOf,
  setFilters,
} from "./library-filter.ts";
import { labelDialog, undoPlace } from "./selection.ts";
import { uploadTray } from "./tray.ts";

const nonce = "MDEyMzQ1Njc4OWFiY2RlZg";
const hostile = `"><img src=x onerror=alert(1)><b hx-get="/hit" hx-trigger="load">'\`js:alert(2)\u202e`;

const asset: Asset = {
  id: "as_1",
  ownerId: "us_1",
  name: hostile,
  state: "ready",
  kind: "video",
  sizeBytes: 1_000_000,
  sha256: "a".repeat(64),
  mimeType: "video/mp4",
  media: media(),
  origin: { kind: "upload" },
  thumbnail: "ready",
  createdAt: "2026-01-01T00:00:00.000Z",
  expiresAt: "2026-02-01T00:00:00.000Z",
  labels: [hostile, "b", "c", "d"],
};

const view = (about: Partial<LibraryView> = {}): LibraryView => ({
  filter: everything,
  assets: [asset],
  next: null,
  total: 1,
  choices: { codecs: ["h264"], labels: [{ name: hostile, assets: 2 }] },
  imports: [],
  ...about,
});

/** Tags and htmx attributes as a parser sees them, and the text of elements that htmx leaves alone. */
function read(html: Html) {
  const seen = { tags: new Set<string>(), requests: [] as string[], ignored: "" };
  new HTMLRewriter()
    .on("*", {
      element(element) {
        seen.tags.add(element.tagName);
        for (const [name, value] of element.attributes) {
          if (/^hx-(get|post|delete|put|patch)$/.test(name)) seen.requests.push(value ?? "");
          expect(name).not.toMatch(/^on|^hx-on/);
        }
      },
    })
    .on("[hx-ignore]", {
      text(chunk) {
        seen.ignored += chunk.text;
      },
    })
    .transform(html.render(nonce));
  return seen;
}

describe("names and labels of any text", () => {
  test("stay text in a card, in the filters, in the dialog of labels and in the way back", () => {
    const filter = { ...everything, label: hostile, query: hostile, codec: hostile };
    const gone = { ids: ["as_1"], name: hostile, bin: true, stayed: [] };
    const stayed = [{ id: "as_1", code: "in_use", message: hostile }];
    const parts = [
      libraryGrid(view({ filter })),
      libraryGrid(view({ filter, assets: [] })),
      filterForm(filter, view().choices),
      labelDialog(view().choices.labels),
      undoPlace(gone),
      undoPlace({ ...gone, ids: [], stayed }),
    ];
    for (const part of parts) {
      const { tags, requests } = read(part);
      expect(tags.has("b")).toBe(false);
      expect([...tags].filter((tag) => tag === "script")).toEqual([]);
      expect(requests.filter((address) => !/^\/ui\/library/.test(address))).toEqual([]);
    }
    expect(read(libraryGrid(view())).ignored).toContain("onerror");
  });

  test("cannot turn what stands behind a label around", () => {
    expect(libraryGrid(view()).render(nonce)).toMatch(/<bdi class="chip">[^<]*\u202e<\/bdi>/);
  });
});

describe("a card", () => {
  const text = libraryMore(view()).render(nonce);
  test("says what the script needs, three labels and how many more", () => {
    expect(text).toContain('data-size="1000000"');
    expect(text.match(/class="chip"/g)).toHaveLength(4);
    expect(text).toContain(">+1<");
  });
  test("says when it goes by itself, and that there is a film to look through", () => {
    expect(text).toContain("2026-02-01");
    expect(text).toContain('data-moving=""');
    const still = { ...asset, kind: "image" as const, expiresAt: null };
    expect(libraryMore(view({ assets: [still] })).render(nonce)).not.toMatch(/data-moving|Goes/);
  });
});

describe("the filter", () => {
  const full: LibraryFilter = {
    ...{ query: "a&b", kind: "video", state: "working", origin: "job", codec: "hevc" },
    ...{ resolution: "4k", label: "x=y", minSeconds: 90, maxSeconds: 3600 },
    ...{ sort: "largest", layout: "list" },
  };
  test("is an address in which what is usual is not said", () => {
    expect(libraryAddress(everything)).toBe("/");
    expect(Object.fromEntries(filterParameters(full))).toEqual({
      ...{ q: "a&b", kind: "video", state: "working", origin: "job", codec: "hevc" },
      ...{ resolution: "4k", label: "x=y", minSeconds: "90", maxSeconds: "3600" },
      ...{ sort: "largest", view: "list" },
    });
  });
  test("is told part by part, each with the address without it alone", () => {
    const parts = setFilters(full);
    expect(parts.map(({ title }) => title)).toEqual([
      ...["A job works on it", "Made here", "HEVC", "4K", "x=y", "From 1:30", "Up to 1:00:00"],
    ]);
    for (const { without } of parts) {
      const left = new URL(without, "http://a").searchParams;
      expect([...left].length).toBe([...filterParameters(full)].length - 1);
      expect(left.get("q")).toBe("a&b");
    }
    expect(setFilters(everything)).toEqual([]);
  });
  test("goes with the button for more, and with the cursor", () => {
    const more = libraryMore(view({ filter: full, next: "as_9" })).render(nonce);
    expect(more).toContain("label=x%3Dy&amp;minSeconds=90");
    expect(more).toContain("after=as_9");
  });
  test("offers what is set, also when nothing has it any more", () => {
    const form = filterForm({ ...everything, codec: "prores" }, view().choices).render(nonce);
    expect(form).toMatch(/<option value="prores" selected="">/);
  });
  test.each([
    ["90", 90],
    ["1:30", 90],
    ["1:02:03", 3723],
    [" 5 ", 5],
    ["1:75", null],
    ["-1", null],
    ["1e3", null],
    ["", null],
  ])("reads the length %p", (text, seconds) => {
    expect(secondsOf(text)).toBe(seconds);
  });
});

describe("a list with nothing in it", () => {
  const empty = (about: Partial<LibraryView>) =>
    libraryGrid(view({ assets: [], total: 0, ...about })).render(nonce);
  test("says why, and what comes next", () => {
    expect(empty({})).toContain("data-pick-files");
    expect(empty({ uploadsRefused: "No fence." })).not.toContain("data-pick-files");
    expect(empty({ filter: { ...everything, sort: "name", layout: "list" } })).toContain("teach");
    expect(empty({ filter: { ...everything, query: "zz" } })).toMatch(
      /Nothing matches.*<q hx-ignore>zz/s,
    );
    expect(empty({ filter: { ...everything, codec: "av1" } })).toContain("No file has all of this");
  });
  test("counts what it has, or says that there is more", () => {
    const count = (about: Partial<LibraryView>) => libraryGrid(view(about)).render(nonce);
    expect(count({ total: 1 })).toContain(">1 file<");
    expect(count({ total: 1234 })).toContain(">1,234 files<");
    expect(count({ total: null, atLeast: 10_000 })).toContain(">More than 10,000 files<");
  });
});

describe("the way back after a deletion", () => {
  test("has all ids, and one that stayed says why, once", () => {
    const stayed = [1, 2].map((id) => ({
      id: `as_${id}`,
      code: "in_use",
      message: "A job reads it.",
    }));
    const text = undoPlace({ ids: ["as_3", "as_4"], name: null, bin: true, stayed }).render(nonce);
    expect(text).toContain("2 files went into the");
    expect(text.match(/name="id"/g)).toHaveLength(2);
    expect(text.match(/A job reads it\./g)).toHaveLength(1);
  });
  test("is none without a bin", () => {
    const text = undoPlace({ ids: ["as_3"], name: "a", bin: false, stayed: [] }).render(nonce);
    expect(text).toContain("1 file deleted.");
    expect(text).not.toContain("<form");
  });
});

test("there is no tray where no files are taken in", () => {
  expect(uploadTray("us_1", { refused: "No fence.", directBytes: null })).toBeNull();
  const tray = uploadTray("us_1", { refused: null, directBytes: 5 })?.render(nonce) ?? "";
  expect(tray).toContain('data-direct-bytes="5"');
  expect(tray).toMatch(/data-tus-address="\/static\/tus-[0-9a-f]{10}\.js"/);
});
