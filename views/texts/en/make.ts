/** Making something from files: operations, presets, their forms, the estimate. */
export const make = {
  // Fields of a form.
  more: "More choices",
  withPart: (part: string) => `With ${part}`,
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
} as const;
