/** Whose bytes a step writes: those that it encodes itself, or what earlier steps encoded and it puts together. Pure. */
import type { StepWork } from "../media/description.ts";
import type { Plan, Step } from "../operations/operation.ts";

/** The works whose expected bytes the step's outputs are made of. */
export function encodedFor({ work, needs }: Step, plan: Plan): StepWork[] {
  switch (work.kind) {
    case "package": {
      const { pictures, sounds } = work.ladder;
      const from = [...pictures, ...sounds].flatMap((track) =>
        "step" in track.from ? [track.from.step] : [],
      );
      return named(new Set(from), plan).flatMap((step) => encodedFor(step, plan));
    }
    case "join":
      // The parts stand in its own work; the sound was encoded apart.
      return [
        work,
        ...named(new Set(needs), plan).flatMap((step) =>
          step.work.kind === "render" ? [step.work] : [],
        ),
      ];
    default:
      return [work];
  }
}

function named(names: ReadonlySet<string>, { steps }: Plan): Step[] {
  return steps.filter(({ name }) => names.has(name));
}
