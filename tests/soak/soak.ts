/** For each property of `deno task test:soak`: other histories in each run, within ten minutes. */
export const SOAK = { numRuns: 500, interruptAfterTimeLimit: 600_000, markInterruptAsFailure: true };
