/** How far a job is. */
export const live = {
  progress: "Progress",
  /** "3.4×" */
  speed: (times: string) => `${times} real time`,
  /** "12 s" */
  left: (time: string) => `${time} left`,
} as const;
