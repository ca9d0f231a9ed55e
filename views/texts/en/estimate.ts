/** What a job is expected to take. */
export const estimate = {
  /** "cpu" → "on the CPU", "gpu:0" → "on GPU 0". */
  on: (device: string) =>
    device === "cpu" ? "on the CPU" : `on ${device.replace("gpu:", "GPU ")}`,
  ahead: (jobs: number) => {
    if (jobs === 0) return "";
    return jobs === 1 ? "1 job goes before it." : `${jobs} jobs go before it.`;
  },
  together: ({ jobs, planned }: { jobs: number; planned: number }) =>
    `All ${jobs} jobs, one after another${planned < jobs ? `, reckoned from ${planned} of them` : ""}.`,
  about: (amount: string) => `about ${amount}`,
  between: (least: string, most: string) => `(${least} to ${most})`,
  upTo: (most: string) => `(up to ${most})`,
} as const;
