/** What does not hold yet, by cell, as a sentence for the table. A cell that has been mended turns a test red. */
export const knownFaults: Readonly<Record<string, string>> = {};
