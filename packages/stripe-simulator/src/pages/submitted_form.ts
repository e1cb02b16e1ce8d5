/** What a form sends. A request without one has no entries; every entry is trimmed when it is asked for. */
export class Form {
  readonly #entries: URLSearchParams;

  private constructor(entries: URLSearchParams) {
    this.#entries = entries;
  }

  static async of(request: Request): Promise<Form> {
    return new Form(new URLSearchParams(await request.text()));
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /** Empty where there is no such entry. */
  get(name: string): string {
    return this.#entries.get(name)?.trim() ?? "";
  }
}
