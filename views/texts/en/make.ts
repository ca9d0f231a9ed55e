/** Making something from files: operations, presets, their forms, the estimate. */

/** "video" → what people call files of that kind, several of them. */
const kindWords: Record<string, string> = { video: "videos", audio: "sounds", image: "pictures" };

function kindsText(kinds: readonly string[]): string {
  return kinds.map((kind) => kindWords[kind] ?? kind).join(" and ");
}

const files = (count: number) => (count === 1 ? "1 file" : `${count} files`);

export const make = {
  /** Of the page for several files. */
  title: "Make",
  heading: (count: number) => `Make something from ${files(count)}`,
  /** Of the part of a file's own page. */
  headingHere: "Make something from it",
  chosenFiles: "Chosen files",
  moreFiles: (count: number) => `and ${count} more`,
  leaveOut: (name: string) => `Leave out ${name}`,
  gone: (count: number) =>
    count === 1
      ? "One of the files is not there any more; it was left out."
      : `${count} of the files are not there any more; they were left out.`,
  nothingTitle: "No files are chosen",
  nothingText: "Choose some in the library, then “Make”.",
  toLibrary: "To the library",
  tooMany: (max: number) => `Up to ${max} files can be worked on at once. Choose fewer.`,
  // The choice of what to make.
  choose: "Choose what to make",
  search: "Search presets and operations",
  noneFound: "Nothing here is called that.",
  presets: "Ready-made",
  families: {
    convert: "Convert",
    cut: "Cut and join",
    picture: "Picture",
    sound: "Sound",
    examine: "Examine",
  },
  continue: "Continue",
  yourOwn: "Your own",
  shared: "From others",
  /** What the presets that come with Kinomill are for. */
  presetSentences: {
    "ps_web-1080p": "Plays everywhere: H.264 and stereo, 1080 lines at most.",
    "ps_web-720p": "Plays everywhere and is small: 720 lines at most.",
    "ps_archive-hevc": "To keep: hard to tell from the source, at half its size or less.",
    "ps_archive-av1": "To keep, smaller still; takes its time where no GPU makes AV1.",
    ps_email: "Fits into a mail: 25 MB, whatever the length.",
    "ps_prores-proxy": "Light to edit, for Final Cut, Resolve and Premiere.",
    ps_streaming: "HLS and DASH with every useful size, and pictures for the seek bar.",
    ps_vertical: "For phones: the whole picture on a blurred copy of itself.",
    ps_square: "1:1, the whole picture on a blurred copy of itself.",
    ps_podcast: "MP3 at the loudness of podcasts.",
    ps_gif: "The first five seconds, small enough for a chat.",
    ps_sticker: "Three seconds below 500 kB, with transparency.",
    ps_thumbnails: "A poster, and a sheet of small pictures for players.",
  } as Record<string, string>,
  ownPreset: (operation: string) => `${operation}, with your settings.`,
  unfit: {
    kind: (count: number, of: number, kinds: readonly string[]) =>
      of === 1
        ? `Works on ${kindsText(kinds)} alone.`
        : `Works on ${kindsText(kinds)} alone; ${count} of the ${of} files are something else.`,
    text: (count: number) =>
      count === 1 ? "Takes no text, and one file is text." : `Takes no text; ${count} files are.`,
    unreadable: "Animated WebPs can be made, but not read again.",
    many: (max: number) => `Takes ${max === 1 ? "one file" : `${max} files`} at most.`,
  },
  // The form.
  start: "Start",
  startMany: (count: number) => `Start ${count} jobs`,
  sourceStays: "The original stays as it is.",
  sourcesStay: "The originals stay as they are.",
  oneForEach: (count: number) => `${count} jobs: one for each file.`,
  way: "What becomes of the files",
  wayEach: (count: number) => `${count} jobs, one for each file`,
  wayTogether: "One job with all of them",
  further: "Further files, for each of the jobs",
  furtherHint: (count: number) =>
    `For example a logo or a second sound: up to ${files(count)}, counted from 2.`,
  inOrder: "Files, in this order",
  worksOn: (wanted: string) => `It works on ${wanted} files.`,
  withCaptions: "The second may be a file of captions.",
  addFile: "Add a file from the library",
  addNamed: (name: string) => `Add ${name}`,
  furtherIds: "Ids of further files, one per line",
  noneNamed: "No file has that in its name.",
  // Presets.
  preset: "Preset",
  none: "None",
  comeWith: "Come with Kinomill",
  saveAsPreset: "Save as preset",
  name: "Name",
  saveAsNew: "Save as new",
  saveChanges: "Save changes",
  delete: "Delete",
  deleteTitle: "Delete this preset?",
  deleteText: (name: string) =>
    `“${name}” will be gone. Jobs that were started with it are not touched.`,
  saved: "Saved.",
  deleted: "Deleted.",
  // Fields of a form.
  more: "More choices",
  add: "Add",
  toList: (list: string) => `to ${list}`,
  rowOf: (list: string) => `${list}, row`,
  moveUp: "Move up",
  moveDown: "Move down",
  remove: "Remove",
  withCommas: "Several are separated by commas.",
  automatic: "Automatic",
  pickColour: (field: string) => `${field}: pick`,
  /** Units that a person writes in more than one way: "1:30" for 90 s, "5M" for 5,000,000 bit/s. */
  spokenUnits: { s: "90 or 1:30", "bit/s": "5M or 800k", bytes: "25 MB or 800 kB" },
  /** Ten seconds tried out. */
  trial: {
    button: "Try 10 seconds",
    title: "Tried out",
    about: (operation: string, from: string, to: string) =>
      `${operation}, from ${from} to ${to} of the file.`,
    cutting: "Cutting the ten seconds out …",
    making: "Working on them …",
    failed: "That did not work",
    ended: "This was thrown away. Try again.",
    end: "Throw it away",
    took: (time: string) => `Made in ${time}.`,
    source: "As it is",
    made: "As it would be",
    playBoth: "Play both",
    download: "Download",
    unplayable: "This browser cannot play it. Download it to look at it.",
    thrownAway: "It is in no library, and thrown away when you close this.",
  },
  // What a call for several jobs was refused for.
  faultOfFile: (name: string, sentence: string) => `${name}: ${sentence}`,
} as const;
