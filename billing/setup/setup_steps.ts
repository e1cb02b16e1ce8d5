/** What a set-up changes, told step by step; in a dry run nothing but told. */
export class Steps {
  /** A sentence for each change, in order. Empty when everything was in place. */
  readonly told: string[] = [];

  constructor(readonly isDryRun: boolean) {}

  /** Notes a change and makes it. In a dry run the answer is `instead`. */
  async take<T>(sentence: string, change: () => Promise<T>, instead: T): Promise<T> {
    this.told.push(sentence);
    return this.isDryRun ? instead : await change();
  }
}
