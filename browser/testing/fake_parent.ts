export const PARENT = "https://app.test";

/**
 * Replaces the parent window until it is disposed, and records the messages sent to it. Disposing it also removes the
 * listeners that were added meanwhile.
 */
export class FakeParent implements Disposable {
  readonly sent: unknown[] = [];

  readonly #addEventListener = globalThis.addEventListener;
  readonly #listeners: Parameters<typeof addEventListener>[] = [];

  constructor() {
    globalThis.addEventListener = (...listener: Parameters<typeof addEventListener>) => {
      this.#listeners.push(listener);
      this.#addEventListener.apply(globalThis, listener);
    };
    const window = { postMessage: (data: unknown, target: string) => this.sent.push({ data, target }) };
    Object.defineProperty(globalThis, "parent", { value: window, configurable: true });
  }

  /** Delivers a message to this window, by default from the parent. */
  posts(data: unknown, { origin = PARENT, source = globalThis.parent as unknown } = {}): void {
    const event = new MessageEvent("message", { data, origin });
    Object.defineProperty(event, "source", { value: source });
    globalThis.dispatchEvent(event);
  }

  [Symbol.dispose](): void {
    Reflect.deleteProperty(globalThis, "parent");
    globalThis.addEventListener = this.#addEventListener;
    for (const [type, listener] of this.#listeners) globalThis.removeEventListener(type, listener);
  }
}
