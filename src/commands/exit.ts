/** Exit codes of the command line, as `docs/api.md` promises them. */
export const exitCodes = { done: 0, failed: 1, badUsage: 2, interrupted: 130 } as const;
