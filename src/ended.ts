/** Waiting for several things of which none may go on alone. */

/**
 * What all of them gave, in their order, once every one has ended; then what the first of them threw, if one did.
 * `Promise.all` would leave the others running behind its back.
 */
export async function allEnded<T>(running: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(running);
  return await Promise.all(running);
}
