/** The jobs of one call that wait for each other: an order in which each comes after those that it waits for. Pure. */
import { Refusal } from "../trouble.ts";

/** As much of a request as it takes. */
interface Referring {
  ref?: string | undefined;
  after?: readonly string[] | undefined;
}

export interface Arrangement {
  /** Positions in the call. */
  order: number[];
  /** Ids that each waits for, by position. */
  of: string[][];
}

/**
 * @param ids ids of the jobs, by position
 * @throws Refusal 422 `invalid` for names that are not there or there twice, 422 `cycle` that names the way
 */
export function arrange(requests: readonly Referring[], ids: readonly string[]): Arrangement {
  const positions = positionsOf(requests);
  const needs = requests.map(({ after = [] }, index) =>
    after.map((word, place) => {
      if (!word.startsWith("#")) return null;
      const position = positions.get(word.slice(1));
      if (position === undefined) {
        throw fault(
          `jobs.${index}.after.${place}`,
          `there is no job with the ref ${word.slice(1)}`,
        );
      }
      return position;
    }),
  );
  const of = requests.map(({ after = [] }, index) =>
    unique(after.map((word, place) => ids[needs[index]?.[place] ?? -1] ?? word)),
  );
  const inner = needs.map((list) => list.filter((position) => position !== null));
  return { order: orderOf(inner, (position) => nameOf(requests, position)), of };
}

function positionsOf(requests: readonly Referring[]): Map<string, number> {
  const positions = new Map<string, number>();
  for (const [index, { ref }] of requests.entries()) {
    if (ref === undefined) continue;
    if (positions.has(ref))
      throw fault(`jobs.${index}.ref`, `${ref} is the ref of another job too`);
    positions.set(ref, index);
  }
  return positions;
}

/** Depth first; `open` is the way from where it began to here. */
function orderOf(needs: readonly number[][], name: (position: number) => string): number[] {
  const order: number[] = [];
  const done = new Set<number>();
  for (const begin of needs.keys()) {
    const open: { position: number; left: number[] }[] = [];
    const enter = (position: number) => {
      if (done.has(position)) return;
      const at = open.findIndex((each) => each.position === position);
      if (at >= 0)
        throw cycle([...open.slice(at).map((each) => each.position), position].map(name));
      open.push({ position, left: [...(needs[position] ?? [])] });
    };
    enter(begin);
    for (let here = open.at(-1); here !== undefined; here = open.at(-1)) {
      const next = here.left.shift();
      if (next !== undefined) {
        enter(next);
        continue;
      }
      open.pop();
      done.add(here.position);
      order.push(here.position);
    }
  }
  return order;
}

function nameOf(requests: readonly Referring[], position: number): string {
  const ref = requests[position]?.ref;
  return ref === undefined ? `jobs.${position}` : `#${ref}`;
}

/** A circle of jobs that wait for each other. @param way from a job back to it */
export function cycle(way: readonly string[]): Refusal {
  const sentence = `These jobs would wait for each other for ever: ${way.join(" waits for ")}. Leave one of them out of after.`;
  return new Refusal(422, "cycle", sentence, {
    errors: [{ path: "after", message: way.join(" → ") }],
  });
}

function fault(path: string, message: string): Refusal {
  return new Refusal(422, "invalid", `The request has a fault: ${path}: ${message}.`, {
    errors: [{ path, message }],
  });
}

function unique(words: string[]): string[] {
  return [...new Set(words)];
}
