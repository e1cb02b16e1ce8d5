/** The changes of one set-up run. In a dry run they are described, but not made. */
export class SetupSteps {
  /** A sentence for each change, in order. Empty when everything was in place. */
  readonly descriptions: string[] = [];

  constructor(readonly isDryRun: boolean) {}

  /** Adds the description of a change that is made elsewhere. */
  describe(description: string): void {
    this.descriptions.push(description);
  }

  /** Describes a change and makes it. In a dry run it resolves to `dryRunResult` instead. */
  async run<T>(description: string, change: () => Promise<T>, dryRunResult: T): Promise<T> {
    this.describe(description);
    return this.isDryRun ? dryRunResult : await change();
  }
}
