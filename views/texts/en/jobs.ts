/** The room of the jobs: their list, what is done to many of them, and what one is called. */

const jobs = (count: number) => (count === 1 ? "1 job" : `${count.toLocaleString("en")} jobs`);

export const jobList = {
  title: "Jobs",
  states: {
    queued: "Queued",
    waiting: "Waiting",
    running: "Running",
    succeeded: "Done",
    failed: "Failed",
    cancelled: "Cancelled",
  },
  paused: "Paused",
  all: "All",
  byState: "Filter by state",
  /** More than are counted. */
  manyCount: (count: number) => `${(count / 1000).toLocaleString("en")}k+`,

  filters: "Filters",
  search: "Search by name or label",
  operation: "Operation",
  anyOperation: "Every operation",
  device: "Device",
  anyDevice: "Every device",
  apply: "Filter",
  withoutLabel: (label: string) => `Without the label ${label}`,
  withLabel: (label: string) => `Only jobs with the label ${label}`,
  batch: "Jobs of one call",
  withoutBatch: "Not only jobs of one call",
  clear: "Clear filters",

  choose: (name: string) => `Choose ${name}`,
  chooseAll: "Choose all on this page",
  deletedFile: "a deleted file",
  andMore: (name: string, count: number) => `${name} and ${count} more`,
  priority: (points: number) => `Priority ${points > 0 ? "+" : "−"}${Math.abs(points)}`,
  byToken: (token: string) => `By the token ${token}`,
  older: "Older jobs",
  newest: "Newest jobs",
  pages: "Pages of jobs",

  standsStill: "Stands still and keeps its memory; its place is lent to other jobs.",
  starting: "It is starting.",
  took: (span: string) => `Took ${span}`,
  fellBack: "on the CPU instead of a GPU",
  cancelledAfter: (span: string) => `Cancelled after ${span}.`,
  cancelledBefore: "Cancelled before it began.",
  line: (place: number, others: number) => {
    const turn = place === 1 ? "Next in line" : `Number ${place.toLocaleString("en")} in line`;
    if (others === 0) return `${turn}.`;
    const people = others === 1 ? "one other person" : `${others} other people`;
    return `${turn}, in turns with ${people}.`;
  },
  soon: "It starts as soon as a device is free.",

  pause: "Pause",
  resume: "Resume",
  cancel: "Cancel",
  retry: "Try again",
  retryOnCpu: "Try again on the CPU",
  ofJob: (verb: string, operation: string) => `${verb}: ${operation}`,
  ask: {
    title: "Cancel this job?",
    running: "It stops now, and what it has done so far is lost.",
    waiting: "It has not begun, so nothing is lost. Jobs that wait for it are cancelled with it.",
    yes: "Cancel the job",
  },

  none: {
    filtered: "No job fits these filters",
    filteredText: "Take some of them away, or look at all jobs.",
    inState: (state: string) => `No job is ${state.toLowerCase()}`,
    showAll: "Show all jobs",
    atAll: "No jobs yet",
    text: "Open a file in the library and choose what to make from it. The job then shows here, live.",
    toLibrary: "To the library",
    pageOver: "There are no older jobs",
    soFar: "None among the newest jobs",
    further:
      "So many others are newer that the search has stopped here. It goes on with older ones.",
  },

  keyDown: "Next job",
  keyUp: "Job before",
  keyChoose: "Choose the job",
  keyRange: "Choose all from the last chosen to this one",
  keyOpen: "Open the job",
  keyNone: "Choose none",
} as const;

/** What is done to many jobs at once. */
export const jobsAtOnce = {
  chosen: (count: number) => `${count} chosen`,
  ofFilter: "All that this list shows",
  cancelAll: "Cancel all",
  retryAll: "Try all again",
  cancelChosen: "Cancel",
  retryChosen: "Try again",
  chooseNone: "Choose none",
  cancel: {
    title: (count: number) => (count === 1 ? "Cancel 1 job?" : `Cancel ${jobs(count)}?`),
    yes: (count: number) => (count === 1 ? "Cancel the job" : `Cancel ${jobs(count)}`),
    running: (count: number) =>
      count === 1
        ? "1 runs: it stops now, and what it has done so far is lost."
        : `${count} run: they stop now, and what they have done so far is lost.`,
    waiting: (count: number) =>
      count === 1 ? "1 waits and does not start." : `${count} wait and do not start.`,
    after: "Jobs that wait for one of them are cancelled with it.",
    unfit: (count: number) =>
      count === 1
        ? "1 has ended already and stays as it is."
        : `${count} have ended already and stay as they are.`,
    none: "None of them can be cancelled: they have ended already.",
    done: (count: number) =>
      count === 1 ? "1 job was cancelled." : `${jobs(count)} were cancelled.`,
  },
  retry: {
    title: (count: number) => `Try ${jobs(count)} again?`,
    yes: (count: number) => `Try ${jobs(count)} again`,
    failed: (count: number) => (count === 1 ? "1 failed." : `${count} failed.`),
    cancelled: (count: number) => (count === 1 ? "1 was cancelled." : `${count} were cancelled.`),
    line: "They go to the end of the line. What is kept of their finished steps is used.",
    unfit: (count: number) =>
      count === 1
        ? "1 is not to be tried again: it is done, runs or waits already."
        : `${count} are not to be tried again: they are done, run or wait already.`,
    none: "None of them can be tried again: they are done, run or wait already.",
    done: (count: number) =>
      count === 1 ? "1 job is in the line again." : `${jobs(count)} are in the line again.`,
    where: "Where they run",
    anywhere: "Wherever they fit",
    onCpu: "On the CPU alone",
  },
  more: (most: number) =>
    `There are more than ${most.toLocaleString("en")}: this takes the newest, and can be done again for the rest.`,
  moreLeft: "There are more of them: do it again for the rest.",
  left: (count: number, reason: string) =>
    count === 1 ? `1 was left as it is: ${reason}` : `${count} were left as they are: ${reason}`,
  leftElse: (count: number) => `${count} more were left as they are for other reasons.`,
  nothing: "Nothing was changed.",
  keep: "Leave them",
  close: "Close",
} as const;
