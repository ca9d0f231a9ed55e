/** The process's environment; this is the only module that reads it. */

export type Environment = Record<string, string | undefined>;

/** Children get a closed list of it, never the whole. */
export function processEnvironment(): Environment {
  return process.env;
}
