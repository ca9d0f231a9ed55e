/** What a person reads when something was refused or went wrong. */
const titles: Record<number, string> = {
  400: "That request cannot be read",
  401: "Please log in again",
  403: "That is not allowed",
  404: "Not found",
  409: "That does not fit the present state",
  413: "That file is too large",
  422: "Something needs another value",
  429: "Too many attempts",
  507: "The disk is full",
};

export const trouble = {
  /** By the status of the answer. */
  titles,
  other: "Kinomill could not do that",
  toLibrary: "To the library",
  nothingHere: {
    title: "There is nothing here",
    sentence: "This page, file or job does not exist, was deleted, or belongs to somebody else.",
    hint: "Check the address, or look for it in the library.",
  },
} as const;
