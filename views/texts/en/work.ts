/** The switch of all work. */
type Mode = "running" | "paused" | "draining";

const choices: Record<Mode, { verb: string; state: string; effect: string }> = {
  running: {
    verb: "Continue",
    state: "Working",
    effect: "Jobs start as devices are free; what was stopped goes on.",
  },
  paused: {
    verb: "Pause all",
    state: "Paused",
    effect: "What runs stops where it stands; nothing new starts.",
  },
  draining: {
    verb: "Drain",
    state: "Draining",
    effect: "What runs is finished; nothing new starts.",
  },
};

function jobs(count: number, one: string, more: string): string {
  return count === 1 ? `1 job ${one}` : `${count} jobs ${more}`;
}

/** How it is: the first words stand out; since when comes between them and the rest. */
function sentence(mode: Mode, running: number, admin: boolean): { begin: string; end: string } {
  const again = admin ? "you continue" : "an admin continues";
  if (mode === "running") {
    const now = running === 0 ? "no job runs now" : jobs(running, "runs", "run");
    return { begin: "Working:", end: ` ${now}.` };
  }
  if (mode === "paused") {
    if (running === 0) {
      return { begin: "Paused", end: `: nothing runs, and nothing starts until ${again}.` };
    }
    const stopped = jobs(
      running,
      "is stopped where it stands and goes on",
      "are stopped where they stand and go on",
    );
    return { begin: "Paused", end: `: ${stopped} when ${again}.` };
  }
  if (running === 0) {
    return { begin: "Drained", end: ": nothing runs; it is safe to stop the machine." };
  }
  return {
    begin: "Draining",
    end: `: ${jobs(running, "is", "are")} still running, nothing new starts.`,
  };
}

export const work = {
  title: "Work",
  choices,
  menu: (state: string) => `All work: ${state}`,
  since: "since",
  sentence,
  banner: {
    paused: "All work is paused.",
    draining: "This machine is being drained: nothing new starts.",
  },
  bannerAdmin: { before: "Continue on the", link: "System page", after: "." },
  bannerMember: { before: "An admin continues it on the", link: "System page", after: "." },
} as const;
