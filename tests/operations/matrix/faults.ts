const noEditLists =
  "Matroska has no edit lists: what one hid at the beginning is copied along and shown, picture and sound in step.";

/** What does not hold yet, by cell, as a sentence for the table. A cell that has been mended turns a test red. */
export const knownFaults: Readonly<Record<string, string>> = {
  "captions embedded × edit-list": noEditLists,
  "captions embedded × negative-start": noEditLists,
  "remux × edit-list": noEditLists,
  "remux × negative-start": noEditLists,
};
