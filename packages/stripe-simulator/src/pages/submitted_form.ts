/** The fields of a submitted form. Values are trimmed. */
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

  /** The value of a field, or an empty string. */
  get(name: string): string {
    return this.#entries.get(name)?.trim() ?? "";
  }
}
